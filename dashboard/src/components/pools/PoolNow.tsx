import { Table } from '@mantine/core'

import type { Pool } from '#/api/types'
import { Section } from '#/components/target/Section'
import { count, percent, secondsIfAny as time } from '#/lib/format'
import { fullness, isSilent, usedWords } from '#/lib/pools'
import { type Fact, Facts } from '#/ui/Facts'
import { UseBar } from '#/ui/UseBar'

import classes from './pool.module.css'

/** How a pool is used at this moment, and what that has come to. */
export function PoolNow({ pool }: { pool: Pool }) {
  const { used, limit, peak, utilization } = pool.totals
  return (
    <Section title="Now">
      {isSilent(pool) ? (
        <p className={classes.use}>Not known: no process reports it.</p>
      ) : (
        <p className={classes.use}>
          <b>{usedWords(pool.totals)}</b> {limit === null ? 'in use, no limit' : 'in use'}
          {utilization !== null && <span className={classes.dim}> ({percent(utilization)})</span>}
        </p>
      )}
      <UseBar used={used} limit={limit} peak={peak} full={fullness(pool)} />
      <Times pool={pool} />
      <Facts facts={countsOf(pool)} />
    </Section>
  )
}

const TIMES = [
  ['wait', 'Waiting for one'],
  ['use', 'Holding it'],
  ['create', 'Opening one'],
] as const

function Times({ pool }: { pool: Pool }) {
  return (
    <Table verticalSpacing={4} fz="sm" mt="sm" mb="sm" className={classes.numbers ?? ''}>
      <Table.Thead>
        <Table.Tr>
          <Table.Th>A connection</Table.Th>
          <Table.Th>50 % within</Table.Th>
          <Table.Th>95 % within</Table.Th>
        </Table.Tr>
      </Table.Thead>
      <Table.Tbody>
        {TIMES.map(([key, words]) => (
          <Table.Tr key={key}>
            <Table.Th scope="row">{words}</Table.Th>
            <Table.Td>{time(pool[key].p50)}</Table.Td>
            <Table.Td>{time(pool[key].p95)}</Table.Td>
          </Table.Tr>
        ))}
      </Table.Tbody>
    </Table>
  )
}

function countsOf(pool: Pool): Fact[] {
  const { totals } = pool
  const now = (value: number) => (isSilent(pool) ? null : count(value))
  const { size, idle, errors, session_errors: session } = totals
  const told: readonly (readonly [string, string | null])[] = [
    ['Waiting', now(totals.waiting)],
    ['Peak', now(totals.peak)],
    ['Open', size === null ? null : openWords(size, idle)],
    ['Leases', count(totals.taken)],
    ['Timeouts', count(totals.timeouts)],
    [
      'Errors',
      session === 0 ? count(errors) : `${count(errors)}, ${count(session)} of the session`,
    ],
    ['Forgotten', totals.forgotten === 0 ? null : count(totals.forgotten)],
  ]
  return told.flatMap(([title, value]) => (value === null ? [] : [{ key: title, title, value }]))
}

const openWords = (size: number, idle: number | null): string =>
  idle === null ? count(size) : `${count(size)}, ${count(idle)} of them idle`
