import { useQuery } from '@tanstack/react-query'
import { useState } from 'react'

import { useApi } from '#/api/context'
import type { PoolHistory } from '#/api/types'
import { PastSection } from '#/components/past/PastSection'
import { useWindow } from '#/components/past/useWindow'
import { count } from '#/lib/format'
import { POOL_COLUMNS, poolPastTotals, poolStepParts } from '#/lib/poolPast'
import { OVER, POOL_WINDOWS } from '#/lib/window'
import { EmptyState } from '#/ui/EmptyState'
import { Readout } from '#/ui/Readout'
import { StepTable } from '#/ui/StepTable'
import { Totals } from '#/ui/Totals'
import { UseChart } from '#/ui/UseChart'
import { UseLegend } from '#/ui/UseLegend'

import { poolPastQuery } from './queries'

/** Use against the limit over a window, which stands in the address. */
export function PoolPast({ id }: { id: number }) {
  const [window, choose] = useWindow(POOL_WINDOWS)
  const query = useQuery(poolPastQuery(useApi(), id, window))
  return (
    <PastSection
      title="Use against the limit"
      query={query}
      offered={POOL_WINDOWS}
      window={window}
      onWindow={choose}
      height={320}
    >
      {(history) => <PastOf history={history} over={OVER[window]} />}
    </PastSection>
  )
}

function PastOf({ history, over }: { history: PoolHistory; over: string }) {
  const [at, move] = useState<number | null>(null)
  const { buckets, step } = history
  const cursor = { at: at !== null && at < buckets.length ? at : null, move }
  const label = `Use against the limit ${over}`
  if (buckets.every((each) => each.samples === 0)) {
    return (
      <EmptyState title={`Nothing is known ${over}`}>
        No process reported it then, or the first step is not over yet.
      </EmptyState>
    )
  }
  return (
    <>
      <Totals shown={totalsOf(history)} />
      <UseChart
        buckets={buckets}
        step={step}
        cursor={cursor}
        words={(index) => poolStepParts(history, index).join(' · ')}
        label={label}
      />
      <Readout
        parts={cursor.at === null ? null : poolStepParts(history, cursor.at)}
        rest="Point at the chart, or use its arrow keys, for a single step."
      />
      <UseLegend />
      <StepTable
        caption={label}
        buckets={buckets}
        step={step}
        known={({ samples }) => samples > 0}
        columns={POOL_COLUMNS}
      />
    </>
  )
}

function totalsOf({ buckets }: PoolHistory): (readonly [string, string])[] {
  const { peak, waiting, taken, timeouts, errors } = poolPastTotals(buckets)
  const told: readonly (readonly [string, number | null])[] = [
    ['In use at most', peak],
    ['Waiting at most', waiting],
    ['Timeouts', timeouts],
    ['Errors', errors],
    ['Leases', taken],
  ]
  return told.map(([name, value]) => [name, value === null ? '–' : count(value)])
}
