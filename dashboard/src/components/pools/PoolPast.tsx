import { Text } from '@mantine/core'
import { useState } from 'react'

import type { Pool, PoolHistory } from '#/api/types'
import { PastSection } from '#/components/past/PastSection'
import { count } from '#/lib/format'
import { POOL_COLUMNS, poolPastTotals, poolStepParts, SUM_COLUMNS, sumWords } from '#/lib/poolPast'
import { OVER, POOL_WINDOWS } from '#/lib/window'
import { EmptyState } from '#/ui/EmptyState'
import { Readout } from '#/ui/Readout'
import { StepTable } from '#/ui/StepTable'
import { Totals } from '#/ui/Totals'
import { UseChart } from '#/ui/UseChart'
import { UseLegend } from '#/ui/UseLegend'

import { shownWindow } from './queries'
import type { Past } from './usePast'

interface PoolPastProps {
  title?: string
  past: Past
  /** Where it is that of several: those that are added up. */
  pools?: readonly Pool[]
}

/** Use against the limit over a window, which stands in the address. */
export function PoolPast({ title = 'Use against the limit', past, pools }: PoolPastProps) {
  return (
    <PastSection
      title={title}
      query={past.query}
      offered={POOL_WINDOWS}
      window={past.window}
      onWindow={past.choose}
      height={370}
    >
      {(history) => (
        <PastOf history={history} label={`${title} ${OVER[shownWindow(history)]}`} pools={pools} />
      )}
    </PastSection>
  )
}

interface PastOfProps {
  history: PoolHistory
  label: string
  pools: readonly Pool[] | undefined
}

function PastOf({ history, label, pools }: PastOfProps) {
  const [at, move] = useState<number | null>(null)
  const { buckets, step } = history
  const summed = pools !== undefined
  const note = summed ? sumWords(buckets, pools) : ''
  const parts = (index: number) => poolStepParts(history, index, summed)
  const cursor = { at: at !== null && at < buckets.length ? at : null, move }
  if (buckets.every((each) => each.samples === 0)) {
    return (
      <EmptyState title={`Nothing is known ${OVER[shownWindow(history)]}`}>
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
        words={(index) => parts(index).join(' · ')}
        label={label}
      />
      <Readout
        parts={cursor.at === null ? null : parts(cursor.at)}
        rest="Point at the chart, or use its arrow keys, for a single step."
      />
      <UseLegend />
      {note !== '' && (
        <Text size="xs" c="dimmed" mt="xs">
          {note}
        </Text>
      )}
      <StepTable
        caption={label}
        buckets={buckets}
        step={step}
        known={({ samples }) => samples > 0}
        columns={summed ? SUM_COLUMNS : POOL_COLUMNS}
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
