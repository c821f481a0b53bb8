import { ScrollArea, Table } from '@mantine/core'
import { useState } from 'react'

import { shortStepLabel } from '#/lib/chart'

import classes from './StepTable.module.css'
import { Toggle } from './Toggle'

interface StepTableProps<B> {
  caption: string
  buckets: readonly B[]
  /** Seconds of a step. */
  step: number
  /** Whether anything is known of a step. */
  known: (bucket: B) => boolean
  /** Beside when it was: each column's heading, and what a step has there. */
  columns: readonly Column<B>[]
}

export interface Column<B> {
  heading: string
  cell: (bucket: B, index: number) => string
}

/** A chart for those who read numbers better than columns, opened on demand. */
export function StepTable<B extends { start: string }>(props: StepTableProps<B>) {
  const [open, setOpen] = useState(false)
  return (
    <div>
      <Toggle
        open={open}
        onToggle={() => setOpen(!open)}
        more="Show as a table"
        less="Hide the table"
      />
      {open && <Steps {...props} />}
    </div>
  )
}

/** Newest first, without the empty steps. */
function Steps<B extends { start: string }>(props: StepTableProps<B>) {
  const { caption, buckets, step, known, columns } = props
  const shown = buckets
    .map((bucket, index) => ({ bucket, index }))
    .filter(({ bucket }) => known(bucket))
    .toReversed()
  return (
    <ScrollArea.Autosize
      mah="24rem"
      mt="xs"
      viewportProps={{ tabIndex: 0, role: 'group', 'aria-label': caption }}
    >
      <Table
        stickyHeader
        verticalSpacing={4}
        fz="xs"
        aria-label={caption}
        className={classes.table}
      >
        <Table.Thead>
          <Table.Tr>
            <Table.Th scope="col">When</Table.Th>
            {columns.map(({ heading }) => (
              <Table.Th key={heading} scope="col">
                {heading}
              </Table.Th>
            ))}
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {shown.map(({ bucket, index }) => (
            <Table.Tr key={bucket.start}>
              <Table.Th scope="row">{shortStepLabel(Date.parse(bucket.start), step)}</Table.Th>
              {columns.map(({ heading, cell }) => (
                <Table.Td key={heading}>{cell(bucket, index)}</Table.Td>
              ))}
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
    </ScrollArea.Autosize>
  )
}
