import { Anchor, Skeleton, Stack, Text } from '@mantine/core'
import { useQuery, useQueryClient } from '@tanstack/react-query'
import { useEffect } from 'react'
import { Link } from 'react-router'

import { useApi, useLive, useTransitions } from '#/api/context'
import { TRANSITIONS, transitionsQuery } from '#/api/transitions'
import type { OverviewRow, Transition } from '#/api/types'
import { because, gather, happened, type News } from '#/lib/feed'
import { count } from '#/lib/format'
import { paths } from '#/lib/paths'
import { ErrorNotice } from '#/ui/ErrorNotice'
import { Since } from '#/ui/Since'
import { StatusIcon } from '#/ui/StatusBadge'

import classes from './Feed.module.css'

/** What changed lately, newest first: of all targets, whatever the filters leave out. */
export function Feed({ rows }: { rows: readonly OverviewRow[] }) {
  const { data, error, refetch, isFetching } = useNews()
  if (data === undefined) {
    if (error !== null) {
      return <ErrorNotice error={error} onRetry={() => void refetch()} retrying={isFetching} />
    }
    return (
      <Stack gap="xs" aria-hidden="true">
        {['a', 'b', 'c', 'd'].map((key) => (
          <Skeleton key={key} height={32} />
        ))}
      </Stack>
    )
  }
  if (data.length === 0) {
    return (
      <Text size="sm" c="dimmed">
        Nothing has changed yet.
      </Text>
    )
  }
  const news = gather(data).slice(0, MOST_SHOWN)
  const wanted = new Set(news.flatMap(named).map((change) => change.target_id))
  const names = new Map(rows.filter((row) => wanted.has(row.id)).map((row) => [row.id, row.name]))
  return (
    <ol className={classes.feed}>
      {news.map(({ key, first, others }) => (
        <li key={key} className={classes.item}>
          <StatusIcon status={first.new} size={14} />
          <span className={classes.words} title={first.failure?.message}>
            <Who change={first} name={names.get(first.target_id ?? 0)} />
            {others.length === 1 && others[0] !== undefined && (
              <>
                {' and '}
                <Who change={others[0]} name={names.get(others[0].target_id ?? 0)} />
              </>
            )}
            {others.length > 1 && ` and ${count(others.length)} more`}{' '}
            <What change={first} several={others.length > 0} />
          </span>
        </li>
      ))}
    </ol>
  )
}

const MOST_SHOWN = 50

/** Those whose names are told: of many the newest only. */
const named = ({ first, others }: News): readonly Transition[] =>
  others.length === 1 ? [first, ...others] : [first]

function useNews() {
  const cache = useQueryClient()
  const query = useQuery(transitionsQuery(useApi()))
  useTransitions((transitions) => cache.setQueryData<Transition[]>(TRANSITIONS, [...transitions]))
  // What changed while the stream was broken it does not tell again.
  const { phase } = useLive()
  useEffect(() => {
    if (phase === 'live') void cache.invalidateQueries({ queryKey: TRANSITIONS })
  }, [phase, cache])
  return query
}

interface WhoProps {
  change: Transition
  /** Undefined where the target is no longer there. */
  name: string | undefined
}

function Who({ change, name }: WhoProps) {
  if (name === undefined || change.target_id === null) {
    return <span className={classes.gone}>a removed target</span>
  }
  return (
    <Anchor
      component={Link}
      to={paths.target(change.target_id)}
      className={classes.name}
      title={name}
    >
      <bdi>{name.length > LONGEST_NAME ? `${name.slice(0, LONGEST_NAME)}…` : name}</bdi>
    </Anchor>
  )
}

const LONGEST_NAME = 60

function What({ change, several }: { change: Transition; several: boolean }) {
  const why = because(change)
  return (
    <>
      {happened(change, several)}
      {why !== null && (
        <>
          : <bdi>{why}</bdi>
        </>
      )}
      ,{' '}
      <span className={classes.ago}>
        <Since at={change.at} />
      </span>
    </>
  )
}
