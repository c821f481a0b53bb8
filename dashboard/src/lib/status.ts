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

export const worst = (statuses: readonly Shown[]): Shown =>
  statuses.toSorted((a, b) => SEVERITY[b] - SEVERITY[a])[0] ?? 'unknown'
