import type { Status, Transition } from '#/api/types'

const BECAME: Record<Status, string> = {
  up: 'is up',
  degraded: 'is degraded',
  down: 'went down',
  unknown: 'is unknown',
}

/** What happened, as in "orders went down": a return is told from a beginning. */
export function happened(change: Pick<Transition, 'old' | 'new'>, several = false): string {
  const words = BECAME[change.new]
  const again = change.new === 'up' && change.old !== 'unknown' ? ' again' : ''
  return `${several ? words.replace(/^is /, 'are ') : words}${again}`
}

/** Why, in a few words: the stage and its code, or what Mooring notes. Null where there is no why. */
export function because({ failure, note }: Pick<Transition, 'failure' | 'note'>): string | null {
  if (failure === null) return note
  return [failure.stage, failure.code || failure.reason].filter((word) => word !== null).join(' ')
}

/** Changes of several targets that are told in one sentence, newest first. */
export interface News {
  readonly key: string
  readonly first: Transition
  readonly others: readonly Transition[]
}

const NEAR_MS = 60_000

/** Put together what happened to many at nearly the same time, for the same cause. */
export function gather(changes: readonly Transition[]): News[] {
  const told: { first: Transition; others: Transition[] }[] = []
  for (const change of changes) {
    const last = told.at(-1)
    if (last !== undefined && alike(last.first, change)) last.others.push(change)
    else told.push({ first: change, others: [] })
  }
  // By its oldest, which stays as more is added.
  return told.map((each) => ({ ...each, key: keyOf(each.others.at(-1) ?? each.first) }))
}

export const keyOf = (change: Transition): string =>
  `${change.target_id} ${change.at} ${change.new}`

const alike = (a: Transition, b: Transition): boolean =>
  a.new === b.new &&
  happened(a) === happened(b) &&
  because(a) === because(b) &&
  Math.abs(Date.parse(a.at) - Date.parse(b.at)) < NEAR_MS
