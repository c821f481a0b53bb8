import { Button, Collapse, SegmentedControl, Skeleton, Text } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import { useSearchParams } from 'react-router'

import { useApi } from '#/api/context'
import type { Window } from '#/api/queries'
import type { History, Kind } from '#/api/types'
import { stepLabel } from '#/lib/chart'
import { count as number, percent, seconds } from '#/lib/format'
import { checksWords, layers, totals, uptimeWords } from '#/lib/history'
import { EmptyState } from '#/ui/EmptyState'
import { ErrorNotice } from '#/ui/ErrorNotice'
import { CHART_INSET, LatencyChart } from '#/ui/LatencyChart'
import { Parts } from '#/ui/Parts'
import { UptimeStrip } from '#/ui/UptimeStrip'

import classes from './Past.module.css'
import { PastLegend } from './PastLegend'
import { PastTable } from './PastTable'
import { pastQuery } from './queries'
import { Section } from './Section'

const WINDOW_WORD: Record<Window, string> = {
  '1h': '1 hour',
  '24h': '24 hours',
  '7d': '7 days',
  '30d': '30 days',
}

const OVER: Record<Window, string> = {
  '1h': 'in the last hour',
  '24h': 'in the last 24 hours',
  '7d': 'in the last 7 days',
  '30d': 'in the last 30 days',
}

const DEFAULT: Window = '24h'

const isWindow = (word: string | null): word is Window =>
  word !== null && Object.hasOwn(WINDOW_WORD, word)

interface PastProps {
  id: number
  kind: Kind | undefined
  /** When the target's status changed last. */
  since: string | null
}

/** Latency by stage and uptime over a window, which stands in the URL. */
export function Past({ id, kind, since }: PastProps) {
  const [search, setSearch] = useSearchParams()
  const word = search.get('window')
  const window = isWindow(word) ? word : DEFAULT
  const query = useQuery(pastQuery(useApi(), id, window, since))
  const choose = (next: string) =>
    setSearch(
      (before) => {
        before.set('window', next)
        return before
      },
      { replace: true, preventScrollReset: true },
    )
  return (
    <Section
      title="Latency and uptime"
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
        <div className={query.isPlaceholderData ? classes.stale : undefined}>
          <PastOf past={query.data} window={window} order={Object.keys(kind?.proves ?? {})} />
        </div>
      )}
      {query.data === undefined && query.error === null && (
        <Skeleton height={300} aria-label="Loading the past" />
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

interface PastOfProps {
  past: History
  window: Window
  order: readonly string[]
}

function PastOf({ past, window, order }: PastOfProps) {
  const [at, move] = useState<number | null>(null)
  const [table, setTable] = useState(false)
  const { buckets, step } = past
  const looked = at === null ? undefined : buckets[at]
  const stacked = layers(buckets, order)
  const words = (index: number) => stepParts(past, index).join(' · ')
  const cursor = { at: looked === undefined ? null : at, move }
  const over = OVER[window]
  const passed = buckets.some((each) => each.mean !== null)
  if (buckets.every((each) => each.count === 0) && past.uptime === null) {
    return <EmptyState title={`Nothing is known ${over}`}>No check was made then.</EmptyState>
  }
  return (
    <>
      <Totals past={past} />
      {passed && (
        <LatencyChart
          buckets={buckets}
          layers={stacked}
          step={step}
          cursor={cursor}
          words={words}
          label={`Latency by stage ${over}`}
        />
      )}
      <div className={classes.readout}>
        {cursor.at === null ? (
          <AtRest passed={passed} over={over} />
        ) : (
          <Parts>
            {stepParts(past, cursor.at).map((part) => (
              <span key={part}>{part}</span>
            ))}
          </Parts>
        )}
      </div>
      {passed && <PastLegend layers={stacked} buckets={buckets} at={cursor.at} />}
      <div className={classes.caption}>Uptime</div>
      <UptimeStrip
        buckets={buckets}
        cursor={cursor}
        words={words}
        label={`Uptime ${over}`}
        inset={CHART_INSET}
      />
      <Button
        mt="sm"
        px={0}
        size="compact-sm"
        variant="transparent"
        aria-expanded={table}
        onClick={() => setTable(!table)}
      >
        {table ? 'Hide the table' : 'Show as a table'}
      </Button>
      <Collapse expanded={table}>
        {table && <PastTable past={past} layers={stacked} caption={`Latency and uptime ${over}`} />}
      </Collapse>
    </>
  )
}

/** What stands where the words of a step do, while none is looked at. */
function AtRest({ passed, over }: { passed: boolean; over: string }) {
  return (
    <Text span size="sm" c="dimmed">
      {passed
        ? `Means ${over}. Point at the chart, or use its arrow keys, for a single step.`
        : `No check passed ${over}: there is no latency to show.`}
    </Text>
  )
}

/** One step in words, part by part: what the readout shows and a screen reader says. */
function stepParts({ buckets, step }: History, index: number): string[] {
  const bucket = buckets[index]
  if (bucket === undefined) return []
  const parts = [stepLabel(Date.parse(bucket.start), step), uptimeWords(bucket.uptime)]
  parts.push(checksWords(bucket))
  if (bucket.mean !== null) parts.push(`mean ${seconds(bucket.mean)}`)
  if (bucket.p95 !== null) parts.push(`95 % within ${seconds(bucket.p95)}`)
  return parts
}

function Totals({ past }: { past: History }) {
  const { count, failures, mean, highest } = totals(past.buckets)
  const shown = [
    ['Uptime', past.uptime === null ? 'not known' : percent(past.uptime)],
    ['Checks', number(count)],
    ['Failed', String(failures)],
    ['Mean', mean === null ? '–' : seconds(mean)],
    ['Slowest', highest === null ? '–' : seconds(highest)],
  ]
  return (
    <dl className={classes.totals}>
      {shown.map(([name, value]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  )
}
