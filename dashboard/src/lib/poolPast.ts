import type { Pool, PoolHistory } from '#/api/types'

import { stepLabel } from './chart'
import { count, percent, plural } from './format'
import { isSilent } from './pools'

export type PoolStep = PoolHistory['buckets'][number]

const MOST_PLACES = 1

/** A mean of what is counted: "5.2", "37". */
export const meanWords = (value: number): string =>
  value >= 100 ? count(Math.round(value)) : String(Number(value.toFixed(MOST_PLACES)))

/**
 * One step in words, part by part: what the readout shows and a screen reader says. `summed`: of several
 * pools, where a process was counted for each of its own.
 */
export function poolStepParts(
  { buckets, step }: Pick<PoolHistory, 'buckets' | 'step'>,
  index: number,
  summed = false,
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
  if (instances !== null && !summed) parts.push(plural(instances, 'process', 'processes'))
  return parts
}

const counted = (value: number | null): string => (value === null ? '–' : count(value))

type Columns = readonly { heading: string; cell: (step: PoolStep) => string }[]

/** What a table has of each step of several pools, as their chart does and more. */
export const SUM_COLUMNS: Columns = [
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
]

/** The same of a single one. */
export const POOL_COLUMNS: Columns = [
  ...SUM_COLUMNS,
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

const MOST_NAMED = 3

/** What is to be known of a chart that adds up pools: why it has no limit, and what "at most" is there. */
export function sumWords(
  buckets: readonly PoolStep[],
  pools: readonly Pick<Pool, 'name' | 'totals'>[],
): string {
  const added =
    pools.length > 1
      ? '“At most” adds up the most of each pool, whenever in the step that was.'
      : ''
  const limitless = ({ instances, limit }: PoolStep) => limit === null && (instances ?? 0) > 0
  if (!buckets.some(limitless)) return added
  const names = pools.filter((pool) => !isSilent(pool) && pool.totals.limit === null)
  const told = names.slice(0, MOST_NAMED).map(({ name }) => name)
  if (names.length > told.length) told.push(`${count(names.length - told.length)} more`)
  const now = told.length === 0 ? '' : ` (now ${told.join(', ')})`
  return `No limit is drawn where one of the pools has none${now}. ${added}`.trim()
}
