import { Table, Text } from '@mantine/core'
import { useState } from 'react'

import type { Pool, PoolProcess } from '#/api/types'
import { Section } from '#/components/target/Section'
import { count, plural } from '#/lib/format'
import { processFullness, usedWords } from '#/lib/pools'
import { duration } from '#/lib/time'
import { Since } from '#/ui/Since'
import { Toggle } from '#/ui/Toggle'
import { UseBar } from '#/ui/UseBar'

import classes from './pool.module.css'

const FEW = 10
/** Seconds by which a clock may be off before that is of note: reports take their time, too. */
const OFF = 2

/** The processes that make up a pool: those that report, the fullest first, then those that were. */
export function Processes({ pool }: { pool: Pool }) {
  const [all, setAll] = useState(false)
  const sorted = pool.instances.toSorted(
    (a, b) => Number(b.live) - Number(a.live) || b.used - a.used || (a.id < b.id ? -1 : 1),
  )
  const shown = all ? sorted : sorted.slice(0, FEW)
  return (
    <Section title="Processes">
      {sorted.length === 0 ? (
        <Text size="sm" c="dimmed">
          No process has reported it since this server started.
        </Text>
      ) : (
        <Table
          verticalSpacing={6}
          fz="sm"
          className={classes.numbers ?? ''}
          aria-label="Processes that report this pool"
        >
          <Table.Thead>
            <Table.Tr>
              <Table.Th>Process</Table.Th>
              <Table.Th>In use</Table.Th>
              <Table.Th visibleFrom="xs">Waiting</Table.Th>
              <Table.Th visibleFrom="xs">Heard</Table.Th>
            </Table.Tr>
          </Table.Thead>
          <Table.Tbody>
            {shown.map((each) => (
              <Process key={each.id} process={each} />
            ))}
          </Table.Tbody>
        </Table>
      )}
      {sorted.length > FEW && (
        <Toggle
          open={all}
          onToggle={() => setAll(!all)}
          more={`Show all ${plural(sorted.length, 'process', 'processes')}`}
          less="Show fewer"
        />
      )}
    </Section>
  )
}

function Process({ process }: { process: PoolProcess }) {
  const { host, pid, used, limit, peak, live, waiting } = process
  const notes = notesOf(process)
  return (
    <Table.Tr className={live ? undefined : classes.dim}>
      <Table.Th scope="row" className={classes.where ?? ''}>
        {host}:{pid}
        {notes.length > 0 && <span className={classes.about}>{notes.join(', ')}</span>}
      </Table.Th>
      <Table.Td className={classes.share ?? ''}>
        {live ? (
          <>
            {usedWords(process)}
            <UseBar used={used} limit={limit} peak={peak} full={processFullness(process)} />
          </>
        ) : (
          '–'
        )}
      </Table.Td>
      <Table.Td visibleFrom="xs">{live ? count(waiting) : '–'}</Table.Td>
      <Table.Td visibleFrom="xs">
        <Since at={process.heard_at} />
      </Table.Td>
    </Table.Tr>
  )
}

/** What is of note: that it does not count, or why its numbers are to be read with care. */
function notesOf({ live, ended, active, skew }: PoolProcess): string[] {
  const notes: string[] = []
  if (ended) notes.push('has ended')
  else if (!live) notes.push('silent: not part of the totals')
  else if (!active) notes.push('tracking is stopped')
  if (live && Math.abs(skew) >= OFF) {
    notes.push(`its clock is ${duration(Math.abs(skew))} ${skew > 0 ? 'ahead' : 'behind'}`)
  }
  return notes
}
