import type { Status, Transition } from '#/api/types'

const BECAME: Record<Status, string> = {
  up: 'is up',
  degraded: 'is degraded',
  down: 'went down',
  unknown: 'is unknown',
}

/** What happened, as in "orders went down": a return is told from a beginning. */
export function happened(change: Pick<Transition, 'old' | 'new'>): string {
  return change.new === 'up' && change.old !== 'unknown' ? 'is up again' : BECAME[change.new]
}

/** Why, in a few words: the stage and its code, or what Mooring notes. Null where there is no why. */
export function because({ failure, note }: Pick<Transition, 'failure' | 'note'>): string | null {
  if (failure === null) return note
  return [failure.stage, failure.code || failure.reason].filter((word) => word !== null).join(' ')
}
