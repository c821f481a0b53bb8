import { useQuery } from '@tanstack/react-query'
import { useState } from 'react'

import { useApi } from '#/api/context'
import type { History, Kind } from '#/api/types'
import { PastSection } from '#/components/past/PastSection'
import { useWindow } from '#/components/past/useWindow'
import { stepLabel } from '#/lib/chart'
import { count as number, percent, seconds, secondsIfAny } from '#/lib/format'
import {
  type Bucket,
  checksWords,
  type Layer,
  layers,
  measured,
  totals,
  uptimeWords,
} from '#/lib/history'
import { OVER, WINDOWS } from '#/lib/window'
import { EmptyState } from '#/ui/EmptyState'
import { CHART_INSET, LatencyChart } from '#/ui/LatencyChart'
import { Readout } from '#/ui/Readout'
import { type Column, StepTable } from '#/ui/StepTable'
import { Totals } from '#/ui/Totals'
import { UptimeStrip } from '#/ui/UptimeStrip'

import classes from './Past.module.css'
import { PastLegend } from './PastLegend'
import { pastQuery } from './queries'

interface PastProps {
  id: number
  kind: Kind | undefined
  /** When the target's status changed last. */
  since: string | null
}

/** Latency by stage and uptime over a window, which stands in the URL. */
export function Past({ id, kind, since }: PastProps) {
  const [window, choose] = useWindow(WINDOWS, '24h')
  const query = useQuery(pastQuery(useApi(), id, window, since))
  return (
    <PastSection
      title="Latency and uptime"
      query={query}
      offered={WINDOWS}
      window={window}
      onWindow={choose}
      height={300}
    >
      {(past) => <PastOf past={past} over={OVER[window]} order={Object.keys(kind?.proves ?? {})} />}
    </PastSection>
  )
}

interface PastOfProps {
  past: History
  over: string
  order: readonly string[]
}

function PastOf({ past: told, over, order }: PastOfProps) {
  const [at, move] = useState<number | null>(null)
  const past = measured(told)
  const { buckets, step } = past
  const looked = at === null ? undefined : buckets[at]
  const stacked = layers(buckets, order)
  const words = (index: number) => stepParts(past, index).join(' · ')
  const cursor = { at: looked === undefined ? null : at, move }
  const timed = buckets.some((each) => each.mean !== null)
  if (buckets.every((each) => each.count === 0) && past.uptime === null) {
    return <EmptyState title={`Nothing is known ${over}`}>No check was made then.</EmptyState>
  }
  return (
    <>
      <Totals shown={totalsOf(past)} />
      {timed && (
        <LatencyChart
          buckets={buckets}
          layers={stacked}
          step={step}
          cursor={cursor}
          words={words}
          label={`Latency by stage ${over}`}
        />
      )}
      <Readout
        parts={cursor.at === null ? null : stepParts(past, cursor.at)}
        rest={restWords(told, over)}
      />
      {timed && <PastLegend layers={stacked} buckets={buckets} at={cursor.at} />}
      <div className={classes.caption}>Uptime</div>
      <UptimeStrip
        buckets={buckets}
        cursor={cursor}
        words={words}
        label={`Uptime ${over}`}
        inset={CHART_INSET}
      />
      <StepTable
        caption={`Latency and uptime ${over}`}
        buckets={buckets}
        step={step}
        known={({ count, uptime }) => count > 0 || uptime !== null}
        columns={columnsOf(stacked)}
      />
    </>
  )
}

/** What stands where the words of a step do, while none is looked at. */
function restWords({ buckets }: History, over: string): string {
  if (buckets.every((each) => each.mean === null)) {
    return `No check passed ${over}: there is no latency to show.`
  }
  if (buckets.every((each) => each.max === null || each.max === 0)) {
    return 'It reports by itself and tells no time: there is no latency to show.'
  }
  return `Means ${over}. Point at the chart, or use its arrow keys, for a single step.`
}

const columnsOf = (stacked: readonly Layer[]): Column<Bucket>[] => [
  { heading: 'Uptime', cell: ({ uptime }) => uptimeWords(uptime) },
  { heading: 'Checks', cell: ({ count }) => number(count) },
  { heading: 'Failed', cell: ({ failures }) => number(failures) },
  { heading: 'Mean', cell: ({ mean }) => secondsIfAny(mean) },
  { heading: '95 % within', cell: ({ p95 }) => secondsIfAny(p95) },
  ...stacked.map(({ stage, seconds: each }) => ({
    heading: stage ?? 'outside stages',
    cell: ({ mean }: Bucket, index: number) => (mean === null ? '–' : secondsIfAny(each[index])),
  })),
]

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

function totalsOf(past: History): (readonly [string, string])[] {
  const { count, failures, mean, highest } = totals(past.buckets)
  return [
    ['Uptime', past.uptime === null ? 'not known' : percent(past.uptime)],
    ['Checks', number(count)],
    ['Failed', number(failures)],
    ['Mean', secondsIfAny(mean)],
    ['Slowest', secondsIfAny(highest)],
  ]
}
