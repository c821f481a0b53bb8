import { ScrollArea, Table } from '@mantine/core'

import type { History } from '#/api/types'
import { stepLabel } from '#/lib/chart'
import { seconds } from '#/lib/format'
import { type Layer, uptimeWords } from '#/lib/history'

interface PastTableProps {
  past: History
  layers: readonly Layer[]
  caption: string
}

const time = (value: number | null | undefined): string =>
  value === null || value === undefined ? '–' : seconds(value)

/** The chart for those who read numbers better than columns: newest first, without the empty steps. */
export function PastTable({ past, layers, caption }: PastTableProps) {
  const shown = past.buckets
    .map((bucket, index) => ({ bucket, index }))
    .filter(({ bucket }) => bucket.count > 0 || bucket.uptime !== null)
    .toReversed()
  return (
    <ScrollArea.Autosize mah="24rem" mt="xs">
      <Table stickyHeader verticalSpacing={4} fz="xs" className="tabular" aria-label={caption}>
        <Table.Thead>
          <Table.Tr>
            {['When', 'Uptime', 'Checks', 'Failed', 'Mean', '95 % within'].map((each) => (
              <Table.Th key={each}>{each}</Table.Th>
            ))}
            {layers.map((each) => (
              <Table.Th key={each.stage ?? ''}>{each.stage ?? 'outside stages'}</Table.Th>
            ))}
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {shown.map(({ bucket, index }) => (
            <Table.Tr key={bucket.start}>
              <Table.Td style={{ whiteSpace: 'nowrap' }}>
                {stepLabel(Date.parse(bucket.start), past.step)}
              </Table.Td>
              <Table.Td>{uptimeWords(bucket.uptime)}</Table.Td>
              <Table.Td>{bucket.count}</Table.Td>
              <Table.Td>{bucket.failures}</Table.Td>
              <Table.Td>{time(bucket.mean)}</Table.Td>
              <Table.Td>{time(bucket.p95)}</Table.Td>
              {layers.map((each) => (
                <Table.Td key={each.stage ?? ''}>
                  {bucket.mean === null ? '–' : time(each.seconds[index])}
                </Table.Td>
              ))}
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
    </ScrollArea.Autosize>
  )
}
