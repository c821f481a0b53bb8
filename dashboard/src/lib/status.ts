import type { OverviewRow, Shown, Status } from '#/api/types'

/** Worst first: the order of lists, and of what a group or the whole is called after. */
export const SEVERITY: Record<Shown, number> = {
  down: 4,
  degraded: 3,
  unknown: 2,
  up: 1,
  paused: 0,
}

export const STATUS_WORD: Record<Shown, string> = {
  down: 'Down',
  degraded: 'Degraded',
  unknown: 'Unknown',
  up: 'Up',
  paused: 'Paused',
}

export const STATUS_COLOR: Record<Shown, string> = {
  down: 'red',
  degraded: 'orange',
  unknown: 'violet',
  up: 'teal',
  paused: 'gray',
}

/** Worst first. */
export const STATUSES: readonly Status[] = ['down', 'degraded', 'unknown', 'up']

export const SHOWN: readonly Shown[] = [...STATUSES, 'paused']

export const shownStatus = (row: Pick<OverviewRow, 'enabled' | 'status'>): Shown =>
  row.enabled ? row.status : 'paused'

/** How many of each shown status there are. */
export type Counts = Record<Shown, number>

export function countShown(rows: readonly Pick<OverviewRow, 'enabled' | 'status'>[]): Counts {
  const counts: Counts = { down: 0, degraded: 0, unknown: 0, up: 0, paused: 0 }
  for (const row of rows) counts[shownStatus(row)] += 1
  return counts
}

/** The worst there is; paused only where nothing is watched. */
export const worstOf = (counts: Counts): Shown =>
  SHOWN.find((status) => counts[status] > 0) ?? 'unknown'
