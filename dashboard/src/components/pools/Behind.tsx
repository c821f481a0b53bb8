import { Anchor, Text } from '@mantine/core'
import { Link } from 'react-router'

import { useMay } from '#/api/context'
import type { Comparison, Pool } from '#/api/types'
import { Section } from '#/components/target/Section'
import { count } from '#/lib/format'
import { paths } from '#/lib/paths'
import { type Fact, Facts } from '#/ui/Facts'
import { Since } from '#/ui/Since'

import classes from './pool.module.css'

/** The servers behind a pool: what they give and have, beside what the pools on them may take. */
export function Behind({ pool }: { pool: Pool }) {
  return (
    <Section title="The server behind it">
      {pool.comparison.length === 0 ? (
        <NotWatched address={pool.address} />
      ) : (
        pool.comparison.map((each) => <Compared key={each.target_id} told={each} />)
      )}
    </Section>
  )
}

function NotWatched({ address }: { address: string | null }) {
  const { edit } = useMay()
  if (address === null)
    return (
      <Text size="sm" c="dimmed">
        The driver does not tell which one it is.
      </Text>
    )
  return (
    <Text size="sm" c="dimmed" style={{ overflowWrap: 'anywhere' }}>
      No target of Mooring watches {address}.{' '}
      {edit && (
        <Anchor component={Link} to={paths.add()} inherit underline="always">
          Add it
        </Anchor>
      )}
      {edit ? ', and its own' : 'Once one does, its own'} count of connections stands beside this
      pool’s.
    </Text>
  )
}

function Compared({ told }: { told: Comparison }) {
  return (
    <div className={classes.server}>
      <Text size="sm" mb={4} style={{ overflowWrap: 'anywhere' }}>
        <Anchor component={Link} to={paths.target(told.target_id)}>
          {told.target}
        </Anchor>{' '}
        <span className={classes.dim}>
          {told.kind} · {told.address}
        </span>
      </Text>
      <Facts facts={factsOf(told)} />
    </div>
  )
}

const number = (value: number | null, none = 'not known'): string =>
  value === null ? none : count(value)

function factsOf(told: Comparison): Fact[] {
  const facts: Fact[] = [
    { key: 'allowed', title: 'Takes at most', value: number(told.allowed) },
    {
      key: 'sessions',
      title: 'Has open',
      value: (
        <>
          {number(told.sessions)}
          {told.checked_at !== null && (
            <>
              , counted <Since at={told.checked_at} />
            </>
          )}
        </>
      ),
    },
    { key: 'used', title: 'In use by pools', value: count(told.used) },
    {
      key: 'limit',
      title: 'Pools may open',
      value: number(told.limit, 'any number: one has no limit'),
    },
    { key: 'services', title: 'Services', value: told.services.join(', ') },
  ]
  return told.allowed === null ? facts.slice(1) : facts
}
