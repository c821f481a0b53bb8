import type { PoolHistory } from '#/api/types'

import { stepLabel } from './chart'
import { count, percent, plural } from './format'

export type PoolStep = PoolHistory['buckets'][number]

const MOST_PLACES = 1

/** A mean of what is counted: "5.2", "37". */
export const meanWords = (value: number): string =>
  value >= 100 ? count(Math.round(value)) : String(Number(value.toFixed(MOST_PLACES)))

/** One step in words, part by part: what the readout shows and a screen reader says. */
export function poolStepParts(
  { buckets, step }: Pick<PoolHistory, 'buckets' | 'step'>,
  index: number,
): string[] {
  const bucket = buckets[index]
  if (bucket === undefined) return []
  const when = stepLabel(Date.parse(bucket.start), step)
  if (bucket.used === null) return [when, 'not reported']
  const { used, used_max: most, limit, waiting, timeouts, instances } = bucket
  const parts = [when, `${meanWords(used)} in use`]
  if (most !== null) {
    parts.push(
      limit === null ? `at most ${count(most)}` : `at most ${count(most)} of ${count(limit)}`,
    )
  }
  parts.push(waiting === null || waiting === 0 ? 'none waited' : `${count(waiting)} waited`)
  if (timeouts > 0) parts.push(plural(timeouts, 'timeout'))
  if (instances !== null) parts.push(plural(instances, 'process', 'processes'))
  return parts
}

const counted = (value: number | null): string => (value === null ? '–' : count(value))

/** What a table has of each step, as its chart does and more. */
export const POOL_COLUMNS: readonly { heading: string; cell: (step: PoolStep) => string }[] = [
  { heading: 'In use, mean', cell: ({ used }) => (used === null ? '–' : meanWords(used)) },
  { heading: 'In use, at most', cell: (step) => counted(step.used_max) },
  { heading: 'Limit', cell: ({ limit }) => (limit === null ? 'none' : count(limit)) },
  {
    heading: 'Share, at most',
    cell: ({ utilization_max: share }) => (share === null ? '–' : percent(share)),
  },
  { heading: 'Waiting, at most', cell: (step) => counted(step.waiting) },
  { heading: 'Timeouts', cell: (step) => count(step.timeouts) },
  { heading: 'Errors', cell: (step) => count(step.errors) },
  { heading: 'Leases', cell: (step) => count(step.taken) },
  { heading: 'Processes', cell: (step) => counted(step.instances) },
]

/** What a window of the past comes to. */
interface PoolPastTotals {
  /** The most that was in use at once, and that waited; null where nothing is known. */
  peak: number | null
  waiting: number | null
  taken: number
  timeouts: number
  errors: number
}

export function poolPastTotals(buckets: readonly PoolStep[]): PoolPastTotals {
  const highest = (of: (step: PoolStep) => number | null) => {
    const known = buckets.map(of).filter((value) => value !== null)
    return known.length === 0 ? null : Math.max(...known)
  }
  const sum = (of: (step: PoolStep) => number) =>
    buckets.reduce((total, step) => total + of(step), 0)
  return {
    peak: highest((step) => step.used_max),
    waiting: highest((step) => step.waiting),
    taken: sum((step) => step.taken),
    timeouts: sum((step) => step.timeouts),
    errors: sum((step) => step.errors),
  }
}
