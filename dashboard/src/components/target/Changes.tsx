import { Button, Skeleton, Text } from '@mantine/core'
import { useInfiniteQuery } from '@tanstack/react-query'

import { useApi } from '#/api/context'
import type { Failure, Transition } from '#/api/types'
import { useReason } from '#/components/useReasons'
import { lasted } from '#/lib/history'
import { reasonTitle } from '#/lib/reasons'
import { duration } from '#/lib/time'
import { ErrorNotice } from '#/ui/ErrorNotice'
import { Folded } from '#/ui/Folded'
import { Since } from '#/ui/Since'
import { StatusBadge } from '#/ui/StatusBadge'

import classes from './lists.module.css'
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
  const changes = query.data?.pages.flatMap((page) => page.items)
  return (
    <Section title="Changes">
      {changes === undefined && query.error === null && (
        <Skeleton height={120} aria-label="Loading the changes" />
      )}
      {changes?.length === 0 && <Text c="dimmed">Nothing has changed yet.</Text>}
      {changes !== undefined && changes.length > 0 && <ChangesList changes={changes} />}
      {query.error !== null && (
        <ErrorNotice
          error={query.error}
          title="The changes could not be read"
          onRetry={() => void query.refetch()}
          retrying={query.isFetching}
        />
      )}
      {query.hasNextPage && (
        <Button
          mt="xs"
          px={0}
          size="compact-sm"
          variant="transparent"
          loading={query.isFetchingNextPage}
          onClick={() => void query.fetchNextPage()}
        >
          Show more changes
        </Button>
      )}
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
          {Number.isFinite(seconds) ? `, lasted ${duration(seconds)}` : ', lasts still'}
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
