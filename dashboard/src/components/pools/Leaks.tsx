import { Text, Title } from '@mantine/core'
import { useId, useState } from 'react'

import type { Pool, PoolLeak } from '#/api/types'
import { Section } from '#/components/target/Section'
import { count, plural } from '#/lib/format'
import {
  type LeakClass,
  leakClasses,
  LEAK_MEANING,
  type LeakSite,
  LEAK_TITLE,
  shortSite,
} from '#/lib/leaks'
import { isSilent } from '#/lib/pools'
import { duration } from '#/lib/time'
import { Parts } from '#/ui/Parts'
import { Toggle } from '#/ui/Toggle'

import classes from './Leaks.module.css'

/** The server tells no more of one pool. */
const MOST = 100

/** Leases that do not come back, by class and by the line that took them. */
export function Leaks({ pool }: { pool: Pool }) {
  const { leaks } = pool
  return (
    <Section title="Not returned">
      {leaks.length === 0 ? (
        <Text size="sm" c="dimmed">
          {isSilent(pool)
            ? 'Not known while no process reports it.'
            : 'Every connection that is out is in use, or has not been out for long.'}
        </Text>
      ) : (
        leakClasses(leaks).map((each) => <Class key={each.kind} told={each} />)
      )}
      {leaks.length >= MOST && (
        <Text size="sm" c="dimmed" mt="sm">
          These are the {MOST} that have been held for longest.
        </Text>
      )}
    </Section>
  )
}

function Class({ told }: { told: LeakClass }) {
  const id = useId()
  const { kind, sites } = told
  return (
    <section className={classes.class} data-kind={kind} aria-labelledby={id}>
      <Title order={3} size="h5" id={id}>
        {LEAK_TITLE[kind]} ({count(told.count)})
      </Title>
      <Text size="sm" c="dimmed">
        {LEAK_MEANING[kind]}
      </Text>
      <ul className={classes.sites}>
        {sites.map((site) => (
          <Site key={`${site.site} ${site.function}`} site={site} />
        ))}
      </ul>
    </section>
  )
}

/** One line with the leases that it took: the longest held with both stacks, the others below. */
function Site({ site }: { site: LeakSite }) {
  const [longest, ...others] = site.leaks
  const [open, setOpen] = useState(false)
  const id = useId()
  return (
    <li className={classes.site}>
      <div className={classes.lead}>
        <span className={classes.place} title={site.site}>
          {shortSite(site.site)}
        </span>
        <span className={classes.dim}>in {site.function}</span>
        <span className={classes.many}>{plural(site.leaks.length, 'lease')}</span>
      </div>
      <Holding leak={longest} />
      <div className={classes.stacks}>
        <Stack
          title="Taken at"
          lines={longest.taken}
          none={`${site.site} in ${site.function}: what called it was not noted`}
        />
        <Stack title="Its owner is now at" lines={longest.now} none={nowhere(longest)} />
      </div>
      {others.length > 0 && (
        <>
          <Toggle
            open={open}
            onToggle={() => setOpen(!open)}
            more={`Show ${plural(others.length, 'other')} from there`}
            less="Hide the others"
            controls={id}
          />
          <ul id={id} hidden={!open} className={classes.others}>
            {open &&
              numbered(others, keyOf).map(({ key, each }) => <Other key={key} leak={each} />)}
          </ul>
        </>
      )}
    </li>
  )
}

const keyOf = ({ process, owner, held }: PoolLeak): string => `${process} ${owner} ${held}`

const nowhere = ({ kind }: PoolLeak): string =>
  kind === 'abandoned' ? 'Nowhere: it has ended.' : 'Where it is was not told.'

const Other = ({ leak }: { leak: PoolLeak }) => (
  <li>
    <Holding leak={leak} />
    {leak.now[0] !== undefined && <span className={classes.line}>now at {leak.now[0]}</span>}
  </li>
)

function Holding({ leak }: { leak: PoolLeak }) {
  const { held, idle, owner, process, scope, operation } = leak
  return (
    <div className={classes.holding}>
      <Parts>
        <span>
          held <b>{duration(held)}</b>
        </span>
        {idle !== null && idle >= 1 && <span>idle {duration(idle)}</span>}
        {scope !== null && <span>{scope}</span>}
        <span>
          {owner} in {process}
        </span>
        {operation !== null && <code className={classes.operation}>{operation}</code>}
      </Parts>
    </div>
  )
}

function Stack({ title, lines, none }: { title: string; lines: readonly string[]; none: string }) {
  const id = useId()
  return (
    <div>
      <div className={classes.caption} id={id}>
        {title}
      </div>
      {lines.length === 0 ? (
        <div className={classes.dim}>{none}</div>
      ) : (
        <ol className={classes.stack} aria-labelledby={id}>
          {numbered(lines, String).map(({ key, each }) => (
            <li key={key}>{each}</li>
          ))}
        </ol>
      )}
    </div>
  )
}

/** Each with a key of its own: a line may stand in a stack twice, and an owner may hold two alike. */
const numbered = <T,>(all: readonly T[], word: (each: T) => string) =>
  all.map((each, index) => ({ key: `${index} ${word(each)}`, each }))
