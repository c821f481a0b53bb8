import { Table, Text } from '@mantine/core'
import { useState } from 'react'

import type { Pool, PoolSite } from '#/api/types'
import { Section } from '#/components/target/Section'
import { count, plural, secondsIfAny as time } from '#/lib/format'
import { isSilent } from '#/lib/pools'
import { duration } from '#/lib/time'
import { Toggle } from '#/ui/Toggle'
import { UseBar } from '#/ui/UseBar'

import classes from './pool.module.css'

const FEW = 8

/** Which lines of the program hold the connections, those that hold most first. */
export function Holders({ pool }: { pool: Pool }) {
  const [all, setAll] = useState(false)
  const { sites } = pool
  const out = sites.reduce((sum, site) => sum + site.open, 0)
  const shown = all ? sites : sites.slice(0, FEW)
  return (
    <Section title="Who holds them">
      {sites.length === 0 ? (
        <Text size="sm" c="dimmed">
          {isSilent(pool)
            ? 'Not known while no process reports it.'
            : 'No line of the program has taken a connection yet.'}
        </Text>
      ) : (
        <Table
          verticalSpacing={6}
          fz="sm"
          className={classes.numbers ?? ''}
          aria-label="Lines that take connections"
        >
          <Table.Thead>
            <Table.Tr>
              <Table.Th>Taken at</Table.Th>
              <Table.Th>Out now</Table.Th>
              <Table.Th visibleFrom="xs">Oldest</Table.Th>
              <Table.Th visibleFrom="sm">50 % within</Table.Th>
              <Table.Th visibleFrom="xs">95 % within</Table.Th>
              <Table.Th visibleFrom="sm">Leases</Table.Th>
            </Table.Tr>
          </Table.Thead>
          <Table.Tbody>
            {shown.map((site) => (
              <Holder
                key={`${site.file}:${site.line} ${site.function} ${site.scope}`}
                site={site}
                out={out}
              />
            ))}
          </Table.Tbody>
        </Table>
      )}
      {sites.length > FEW && (
        <Toggle
          open={all}
          onToggle={() => setAll(!all)}
          more={`Show all ${plural(sites.length, 'line')}`}
          less="Show fewer"
        />
      )}
    </Section>
  )
}

function Holder({ site, out }: { site: PoolSite; out: number }) {
  return (
    <Table.Tr>
      <Table.Th scope="row" className={classes.where ?? ''} title={`${site.file}:${site.line}`}>
        <span className={classes.place}>{site.place}</span>
        <span className={classes.about}>
          in {site.function}
          {site.scope !== null && ` · ${site.scope}`}
        </span>
      </Table.Th>
      <Table.Td className={classes.share ?? ''}>
        {site.open === 0 ? (
          <span className={classes.dim}>0</span>
        ) : (
          <>
            {count(site.open)} of {count(out)}
            <UseBar used={site.open} limit={out} peak={0} full={null} />
          </>
        )}
      </Table.Td>
      <Table.Td visibleFrom="xs">{site.oldest === null ? '–' : duration(site.oldest)}</Table.Td>
      <Table.Td visibleFrom="sm">{time(site.p50)}</Table.Td>
      <Table.Td visibleFrom="xs">{time(site.p95)}</Table.Td>
      <Table.Td visibleFrom="sm">{count(site.total)}</Table.Td>
    </Table.Tr>
  )
}
