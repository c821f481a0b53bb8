import { Text } from '@mantine/core'
import { useInfiniteQuery } from '@tanstack/react-query'

import { useApi } from '#/api/context'
import type { Failure, Transition } from '#/api/types'
import { useReason } from '#/components/useReasons'
import { lasted } from '#/lib/history'
import { reasonTitle } from '#/lib/reasons'
import { duration } from '#/lib/time'
import { Folded } from '#/ui/Folded'
import { Since } from '#/ui/Since'
import { StatusBadge } from '#/ui/StatusBadge'

import classes from './lists.module.css'
import { PagedList } from './PagedList'
import { changesQuery } from './queries'
import { Section } from './Section'

interface ChangesProps {
  id: number
  /** When the newest change was, as the target tells. */
  since: string | null
}

/** Every change of this target's health, newest first. */
export function Changes({ id, since }: ChangesProps) {
  const query = useInfiniteQuery(changesQuery(useApi(), id, since))
  return (
    <Section title="Changes">
      <PagedList
        query={query}
        what="changes"
        height={120}
        empty={<Text c="dimmed">Nothing has changed yet.</Text>}
      >
        {(changes) => <ChangesList changes={changes} />}
      </PagedList>
    </Section>
  )
}

function ChangesList({ changes }: { changes: readonly Transition[] }) {
  const spans = lasted(changes, Infinity)
  return (
    <ol className={classes.list} aria-label="Changes, newest first">
      {changes.map((each, index) => (
        <Change key={`${each.at} ${each.new}`} change={each} seconds={spans[index] ?? 0} />
      ))}
    </ol>
  )
}

/** `seconds`: how long the new state lasted; infinite where it lasts still. */
function Change({ change, seconds }: { change: Transition; seconds: number }) {
  const { failure } = change
  return (
    <li className={classes.item}>
      <div className={classes.line}>
        <StatusBadge status={change.old} size="sm" />
        <span aria-label="to">→</span>
        <StatusBadge status={change.new} />
        <span className={classes.dim}>
          <Since at={change.at} />
          {Number.isFinite(seconds) ? `, lasted ${duration(seconds)}` : ', still so'}
        </span>
      </div>
      {failure !== null && <Cause failure={failure} />}
      {change.note !== null && <Folded text={change.note} lines={2} />}
    </li>
  )
}

function Cause({ failure }: { failure: Failure }) {
  return (
    <div className={classes.dim}>
      {failure.stage !== null && <b>{failure.stage}: </b>}
      {reasonTitle(failure.reason, useReason(failure.reason))}
      <Folded text={failure.message} lines={2} />
    </div>
  )
}
