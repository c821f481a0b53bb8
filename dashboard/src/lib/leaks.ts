import type { LeakKind, PoolLeak } from '#/api/types'

import { LEAK_KINDS } from './pools'

export const LEAK_TITLE: Record<LeakKind, string> = {
  abandoned: 'Abandoned',
  idle_in_transaction: 'Idle in transaction',
  suspect: 'Suspect',
  busy: 'Busy',
}

/** What each class means, for who reads it first. */
export const LEAK_MEANING: Record<LeakKind, string> = {
  abandoned: 'The task or thread that took it has ended and never returned it: a leak for certain.',
  idle_in_transaction:
    'Held for long with a transaction open, and nothing runs in it: its locks stop others.',
  suspect:
    'Held for long, and nothing runs on it: a leak, or work that needs no connection meanwhile.',
  busy: 'A statement runs on it for long: slow, but no leak.',
}

/** `file:line` with the last two parts of its path, as the server shortens the lines that hold. */
export const shortSite = (site: string): string =>
  site.replaceAll('\\', '/').split('/').slice(-2).join('/')

/** Leases of one class that one line took, the longest held first. */
export interface LeakSite {
  readonly site: string
  readonly function: string
  readonly leaks: readonly [PoolLeak, ...PoolLeak[]]
}

export interface LeakClass {
  readonly kind: LeakKind
  readonly count: number
  readonly sites: readonly LeakSite[]
}

/** Leaks by class, the certain ones first, and by the line that took them, the one with most first. */
export const leakClasses = (leaks: readonly PoolLeak[]): LeakClass[] =>
  LEAK_KINDS.flatMap((kind) => {
    const own = leaks.filter((leak) => leak.kind === kind)
    return own.length === 0 ? [] : [{ kind, count: own.length, sites: sitesOf(own) }]
  })

function sitesOf(leaks: readonly PoolLeak[]): LeakSite[] {
  const sites = new Map<string, [PoolLeak, ...PoolLeak[]]>()
  for (const leak of leaks.toSorted((a, b) => b.held - a.held)) {
    const key = `${leak.site} ${leak.function}`
    const found = sites.get(key)
    if (found === undefined) sites.set(key, [leak])
    else found.push(leak)
  }
  return [...sites.values()]
    .map((own) => ({ site: own[0].site, function: own[0].function, leaks: own }))
    .toSorted((a, b) => b.leaks.length - a.leaks.length)
}
