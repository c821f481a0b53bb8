import { Button, Text } from '@mantine/core'
import { useInfiniteQuery } from '@tanstack/react-query'
import { useId, useState } from 'react'

import { useApi } from '#/api/context'
import type { Failure, FailureDay } from '#/api/types'
import { useReason } from '#/components/useReasons'
import { plural } from '#/lib/format'
import { reasonTitle } from '#/lib/reasons'
import { exact, timeOnDay, utcDay } from '#/lib/time'
import { Folded } from '#/ui/Folded'
import { Parts } from '#/ui/Parts'

import classes from './lists.module.css'
import { PagedList } from './PagedList'
import { olderQuery } from './queries'
import { Section } from './Section'

/** What is left of failures when their results are no longer kept one by one. Folded until asked for. */
export function OlderFailures({ id }: { id: number }) {
  const [open, setOpen] = useState(false)
  const list = useId()
  const toggle = (
    <Button
      variant="default"
      size="compact-sm"
      aria-expanded={open}
      aria-controls={list}
      aria-label={open ? 'Hide older failures' : 'Show older failures'}
      onClick={() => setOpen(!open)}
    >
      {open ? 'Hide' : 'Show'}
    </Button>
  )
  return (
    <Section title="Older failures" aside={toggle}>
      <div id={list} hidden={!open}>
        {open && <Days id={id} />}
      </div>
    </Section>
  )
}

function Days({ id }: { id: number }) {
  const query = useInfiniteQuery(olderQuery(useApi(), id))
  return (
    <>
      <Text c="dimmed" size="sm" mb="xs">
        What failed more than a day ago, counted for each day (UTC) and cause.
      </Text>
      <PagedList
        query={query}
        what="older failures"
        more="days"
        height={120}
        empty={<Text>Nothing that failed more than a day ago is known.</Text>}
      >
        {(days) => (
          <ol className={classes.list} aria-label="Older failures, newest day first">
            {days.map((each) => (
              <Day key={keyOf(each)} day={each} />
            ))}
          </ol>
        )}
      </PagedList>
    </>
  )
}

const keyOf = ({ day, region, first: { reason, stage, code } }: FailureDay): string =>
  JSON.stringify([day, region, reason, stage, code])

/** One cause on one day: how often, from when to when, and what was said first and last. */
function Day({ day: { day, region, count, first, last, ...at } }: { day: FailureDay }) {
  return (
    <li className={classes.item}>
      <div className={classes.line}>
        <b>{utcDay(day)}</b>
        <span>{plural(count, 'time')}</span>
        <Parts className={classes.dim}>
          {count === 1 ? (
            <Moment day={day} at={at.last_at} />
          ) : (
            <span>
              first <Moment day={day} at={at.first_at} />, last <Moment day={day} at={at.last_at} />
            </span>
          )}
          {region !== 'local' && <span>{region}</span>}
        </Parts>
      </div>
      <Cause failure={last} />
      {first.message !== last.message && (
        <div className={classes.dim}>
          At first:
          <Folded text={first.message} lines={2} />
        </div>
      )}
    </li>
  )
}

const Moment = ({ day, at }: { day: string; at: string }) => (
  <time dateTime={at} title={exact(at)} className="tabular">
    {timeOnDay(at, day)}
  </time>
)

function Cause({ failure: { stage, reason, code, message } }: { failure: Failure }) {
  return (
    <>
      <div>
        {stage !== null && <b>{stage}: </b>}
        {reasonTitle(reason, useReason(reason))} <span className={classes.dim}>({code})</span>
      </div>
      <Folded text={message} lines={2} />
    </>
  )
}
