import type { LeakKind, Pool, PoolAlert, PoolProcess, PoolRule, Severity, Shown } from '#/api/types'

import { count, plural } from './format'

/** How a pool stands: what its worst alert says, or why nothing is known of it. */
export type Standing = Severity | 'silent' | 'ended' | 'stopped' | 'fine' | 'paused'

export const STANDING_WORD: Record<Standing, string> = {
  critical: 'Critical',
  warning: 'Warning',
  silent: 'Silent',
  ended: 'Ended',
  stopped: 'Stopped',
  fine: 'Fine',
  paused: 'Paused',
}

/** Whose shape and colour it has. */
export const STANDING_STATUS: Record<Standing, Shown> = {
  critical: 'down',
  warning: 'degraded',
  silent: 'unknown',
  ended: 'unknown',
  stopped: 'paused',
  fine: 'up',
  paused: 'paused',
}

const STANDING_RANK: Record<Standing, number> = {
  critical: 6,
  warning: 5,
  silent: 4,
  ended: 3,
  stopped: 2,
  fine: 1,
  paused: 0,
}

const SEVERITY_RANK: Record<Severity, number> = { critical: 1, warning: 0 }

/** Of two alerts that are as severe, which one says more of what to do: the higher. */
const RULE_RANK: Record<PoolRule, number> = {
  inactive: 7,
  utilization: 6,
  abandoned: 5,
  idle_in_transaction: 4,
  timeouts: 3,
  waiting: 2,
  suspect: 1,
  errors: 0,
}

export const RULE_WORD: Record<PoolRule, string> = {
  utilization: 'nearly full',
  waiting: 'requests wait',
  timeouts: 'timeouts',
  errors: 'errors',
  abandoned: 'never returned',
  suspect: 'held for long',
  idle_in_transaction: 'idle in transaction',
  inactive: 'not reported',
}

/** Worst first. */
export const LEAK_KINDS: readonly LeakKind[] = [
  'abandoned',
  'idle_in_transaction',
  'suspect',
  'busy',
]

const LEAK_WORD: Record<LeakKind, string> = {
  abandoned: 'abandoned',
  idle_in_transaction: 'idle in transaction',
  suspect: 'suspect',
  busy: 'busy',
}

/** Worst first, within one severity too. */
export const alertsOf = ({ alerts }: Pick<Pool, 'alerts'>): PoolAlert[] =>
  alerts.toSorted(
    (a, b) =>
      SEVERITY_RANK[b.severity] - SEVERITY_RANK[a.severity] ||
      RULE_RANK[b.rule] - RULE_RANK[a.rule],
  )

export const worstAlert = (pool: Pick<Pool, 'alerts'>): PoolAlert | null =>
  alertsOf(pool)[0] ?? null

/** Whether no process reports it: what is in use is not known then, and not zero. */
export const isSilent = ({ totals }: Pick<Pool, 'totals'>): boolean => totals.instances === 0

/** "4 processes"; "no process reports it". */
export const reportedWords = ({ totals }: Pick<Pool, 'totals'>): string =>
  isSilent({ totals }) ? 'no process reports it' : plural(totals.instances, 'process', 'processes')

type Stands = Pick<Pool, 'alerts' | 'active' | 'enabled' | 'totals' | 'instances'>

/** Whether all that used it have ended in good order; the processes themselves are shown for an hour. */
const hasEnded = (pool: Stands): boolean =>
  isSilent(pool) &&
  (pool.alerts.some(({ rule, severity }) => rule === 'inactive' && severity === 'warning') ||
    (pool.instances.length > 0 && pool.instances.every(({ ended }) => ended)))

export function standingOf(pool: Stands): Standing {
  if (!pool.enabled) return 'paused'
  if (hasEnded(pool)) return 'ended'
  const worst = worstAlert(pool)
  if (worst !== null) return worst.severity
  if (isSilent(pool)) return 'silent'
  return pool.active ? 'fine' : 'stopped'
}

/** Whether it is nearly full, and how severe that is, by the server's own limits. */
export const fullness = ({ alerts }: Pick<Pool, 'alerts'>): Severity | null =>
  alerts.find(({ rule }) => rule === 'utilization')?.severity ?? null

/** "7 of 10"; "7" where there is no limit. */
export const usedWords = ({ used, limit }: Pick<Pool['totals'], 'used' | 'limit'>): string =>
  limit === null ? count(used) : `${count(used)} of ${count(limit)}`

/** How full one process of it is: of note where it has no connection left, whatever the others have. */
export const processFullness = ({ used, limit }: Pick<PoolProcess, 'used' | 'limit'>) =>
  limit !== null && used >= limit ? 'critical' : null

/** "2 abandoned", "1 suspect": the worst first, none that are not there. */
export function leakWords(leaks: readonly { readonly kind: LeakKind }[]): string[] {
  return LEAK_KINDS.flatMap((kind) => {
    const many = leaks.filter((each) => each.kind === kind).length
    return many === 0 ? [] : [`${count(many)} ${LEAK_WORD[kind]}`]
  })
}

/** What one reads as its name. */
export const poolName = ({ service, name }: Pick<Pool, 'service' | 'name'>): string =>
  `${service}/${name}`

const by = (a: Pool, b: Pool, of: (pool: Pool) => number): number => of(b) - of(a)

/** The worst first: by standing, then by how full, by who waits, by leaks, and by name. */
export function worstFirst(pools: readonly Pool[]): Pool[] {
  const rank = new Map(pools.map((pool) => [pool, STANDING_RANK[standingOf(pool)]]))
  return pools.toSorted(
    (a, b) =>
      by(a, b, (pool) => rank.get(pool) ?? 0) ||
      by(a, b, (pool) => pool.totals.utilization ?? 0) ||
      by(a, b, (pool) => pool.totals.waiting) ||
      by(a, b, (pool) => pool.leaks.length) ||
      (poolName(a) < poolName(b) ? -1 : 1),
  )
}

/** What the list shows, as its address says it. */
export interface PoolFilters {
  readonly q: string
  readonly service: string
}

export const readPoolFilters = (params: URLSearchParams): PoolFilters => ({
  q: params.get('q') ?? '',
  service: params.get('service') ?? '',
})

/** Write the address. What is as usual does not stand in it; `window` stays, of one service's past. */
export function writePoolFilters(
  { q, service }: PoolFilters,
  before?: URLSearchParams,
): URLSearchParams {
  const params = new URLSearchParams()
  const window = before?.get('window') ?? null
  if (q !== '') params.set('q', q)
  if (service !== '') params.set('service', service)
  if (service !== '' && window !== null) params.set('window', window)
  return params
}

const texts = new WeakMap<Pool, string>()

/** All that a search looks at: names, the server, processes, lines and words of what is wrong. */
function searchText(pool: Pool): string {
  let text = texts.get(pool)
  if (text === undefined) {
    text = [
      poolName(pool),
      pool.driver,
      pool.address,
      pool.database,
      STANDING_WORD[standingOf(pool)],
      ...pool.instances.map(({ host, pid }) => `${host}:${pid}`),
      ...pool.sites.map((site) => `${site.place} ${site.function} ${site.scope ?? ''}`),
      ...pool.leaks.map((leak) => `${LEAK_WORD[leak.kind]} ${leak.site}`),
      ...pool.alerts.map((alert) => `${alert.message} ${alert.recommendation}`),
    ]
      .join('\n')
      .toLowerCase()
    texts.set(pool, text)
  }
  return text
}

/** Choose pools. Every word of the search has to occur somewhere in a pool. */
export function filterPools(pools: readonly Pool[], { q, service }: PoolFilters): Pool[] {
  const words = q.toLowerCase().split(/\s+/).filter(Boolean)
  return pools.filter(
    (pool) =>
      (service === '' || pool.service === service) &&
      words.every((word) => searchText(pool).includes(word)),
  )
}

export const servicesOf = (pools: readonly Pool[]): string[] =>
  [...new Set(pools.map(({ service }) => service))].toSorted()

/** "12 pools of 4 services: 2 critical, 1 warning". */
export function poolsWords(pools: readonly Pool[]): string {
  const services = servicesOf(pools).length
  const all = `${plural(pools.length, 'pool')} of ${plural(services, 'service')}`
  const told = (['critical', 'warning', 'silent', 'stopped', 'paused'] as const).flatMap(
    (standing) => {
      const many = pools.filter((pool) => standingOf(pool) === standing).length
      return many === 0 ? [] : [`${count(many)} ${STANDING_WORD[standing].toLowerCase()}`]
    },
  )
  return told.length === 0 ? `${all}, all fine` : `${all}: ${told.join(', ')}`
}
