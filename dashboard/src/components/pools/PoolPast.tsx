import { SegmentedControl, Skeleton, Text } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { useState } from 'react'

import { useApi } from '#/api/context'
import type { PoolHistory } from '#/api/types'
import past from '#/components/target/Past.module.css'
import { Section } from '#/components/target/Section'
import { count } from '#/lib/format'
import { poolPastTotals, poolStepParts } from '#/lib/poolPast'
import { EmptyState } from '#/ui/EmptyState'
import { ErrorNotice } from '#/ui/ErrorNotice'
import { Parts } from '#/ui/Parts'
import { UseChart } from '#/ui/UseChart'
import { UseLegend } from '#/ui/UseLegend'

import { poolPastQuery, type PoolWindow } from './queries'
import { usePoolWindow, WINDOW_WORD } from './usePoolWindow'

const OVER: Record<PoolWindow, string> = {
  '1h': 'in the last hour',
  '24h': 'in the last 24 hours',
  '7d': 'in the last 7 days',
}

/** Use against the limit over a window, which stands in the address. */
export function PoolPast({ id }: { id: number }) {
  const [window, choose] = usePoolWindow()
  const query = useQuery(poolPastQuery(useApi(), id, window))
  return (
    <Section
      title="Use against the limit"
      aside={
        <SegmentedControl
          aria-label="Time window"
          size="xs"
          value={window}
          onChange={choose}
          data={Object.entries(WINDOW_WORD).map(([value, label]) => ({ value, label }))}
        />
      }
    >
      {query.data !== undefined && (
        <div className={query.isPlaceholderData ? past.stale : undefined}>
          <PastOf history={query.data} over={OVER[window]} />
        </div>
      )}
      {query.data === undefined && query.error === null && (
        <Skeleton height={320} aria-label="Loading the past" />
      )}
      {query.error !== null && (
        <ErrorNotice
          error={query.error}
          title="The past could not be read"
          onRetry={() => void query.refetch()}
          retrying={query.isFetching}
        />
      )}
    </Section>
  )
}

function PastOf({ history, over }: { history: PoolHistory; over: string }) {
  const [at, move] = useState<number | null>(null)
  const { buckets, step } = history
  const cursor = { at: at !== null && at < buckets.length ? at : null, move }
  if (buckets.every((each) => each.samples === 0)) {
    return (
      <EmptyState title={`Nothing is known ${over}`}>
        No process reported it then, or the first step is not over yet.
      </EmptyState>
    )
  }
  return (
    <>
      <Totals history={history} />
      <UseChart
        buckets={buckets}
        step={step}
        cursor={cursor}
        words={(index) => poolStepParts(history, index).join(' · ')}
        label={`Use against the limit ${over}`}
      />
      <div className={past.readout}>
        {cursor.at === null ? (
          <Text span size="sm" c="dimmed">
            Point at the chart, or use its arrow keys, for a single step.
          </Text>
        ) : (
          <Parts>
            {poolStepParts(history, cursor.at).map((part) => (
              <span key={part}>{part}</span>
            ))}
          </Parts>
        )}
      </div>
      <UseLegend />
    </>
  )
}

function Totals({ history }: { history: PoolHistory }) {
  const { peak, waiting, taken, timeouts, errors } = poolPastTotals(history.buckets)
  const shown: readonly (readonly [string, number | null])[] = [
    ['In use at most', peak],
    ['Waiting at most', waiting],
    ['Timeouts', timeouts],
    ['Errors', errors],
    ['Leases', taken],
  ]
  return (
    <dl className={past.totals}>
      {shown.map(([name, value]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd>{value === null ? '–' : count(value)}</dd>
        </div>
      ))}
    </dl>
  )
}
