import type { Comparison, Pool, PoolAlert, PoolHistory, PoolLeak } from '#/api/types'

// What the API tells of pools, with every key, for tests that care for some.

const AT = '2026-01-02T03:04:05.678901+00:00'
const COUNTED = {
  taken: 100,
  returned: 97,
  forgotten: 0,
  timeouts: 0,
  errors: 0,
  session_errors: 0,
  created: 4,
  closed: 0,
  unmatched: 0,
  internal_errors: 0,
}
const SUM = {
  used: 3,
  idle: 1,
  size: 4,
  limit: 10,
  least: 0,
  waiting: 0,
  peak: 5,
  utilization: 0.3,
}

export const aLeak = (some: Partial<PoolLeak> = {}): PoolLeak => ({
  kind: 'abandoned',
  site: 'shop/orders.py:88',
  function: 'load_orders',
  held: 12,
  idle: 12,
  owner: 'Task-7',
  operation: null,
  scope: 'GET /orders',
  now: [],
  taken: [],
  process: 'web1:41',
  ...some,
})

export const anAlert = (some: Partial<PoolAlert> = {}): PoolAlert => ({
  rule: 'utilization',
  severity: 'warning',
  message: '9 of 10 connections of shop are in use (90%)',
  recommendation: 'Hold them for less in shop/orders.py:88.',
  since: AT,
  value: 0.9,
  limit: 0.8,
  suppressed: 0,
  ...some,
})

export const aPool = (
  some: Partial<Omit<Pool, 'totals'>> & { totals?: Partial<Pool['totals']> } = {},
): Pool => ({
  id: 7,
  service: 'shop',
  name: 'main',
  status: 'up',
  enabled: true,
  driver: 'sqlalchemy',
  address: 'db.example:5432',
  database: 'shop',
  active: true,
  heard_at: AT,
  wait: { count: 100, p50: 0.0001, p95: 0.02, p99: 0.03 },
  use: { count: 97, p50: 0.01, p95: 0.2, p99: 0.3 },
  create: { count: 4, p50: 0.005, p95: 0.006, p99: 0.006 },
  instances: [
    {
      ...COUNTED,
      ...SUM,
      id: 'process-one',
      host: 'web1',
      pid: 41,
      started_at: AT,
      heard_at: AT,
      interval: 30,
      skew: 0,
      live: true,
      ended: false,
      active: true,
    },
  ],
  sites: [
    {
      file: '/srv/shop/orders.py',
      line: 88,
      function: 'load_orders',
      place: 'shop/orders.py:88',
      open: 3,
      total: 100,
      oldest: 4.5,
      p50: 0.01,
      p95: 0.2,
      scope: 'GET /orders',
    },
  ],
  leaks: [],
  alerts: [],
  comparison: [],
  ...some,
  totals: { ...COUNTED, ...SUM, instances: 1, ...some.totals },
})

/** A pool of this number and service. */
export const aPoolOf = (
  id: number,
  service: string,
  some: Parameters<typeof aPool>[0] = {},
): Pool => aPool({ id, service, ...some })

export const aPoolStep = (
  index: number,
  some: Partial<PoolHistory['buckets'][number]> = {},
): PoolHistory['buckets'][number] => ({
  start: new Date(Date.UTC(2026, 0, 2, 3, index)).toISOString(),
  samples: 4,
  instances: 2,
  used: 3.5,
  used_max: 4,
  peak: 4,
  size: 5,
  limit: 10,
  utilization: 0.35,
  utilization_max: 0.4,
  waiting: 0,
  taken: 50,
  timeouts: 0,
  errors: 0,
  ...some,
})

export const aPoolPast = (
  buckets = [aPoolStep(0, { samples: 0, used: null, limit: null }), aPoolStep(1), aPoolStep(2)],
): PoolHistory => ({ window: '24h', since: AT, until: AT, step: 60, buckets })

export const aComparison = (some: Partial<Comparison> = {}): Comparison => ({
  address: 'db.example:5432',
  target_id: 3,
  target: 'orders database',
  kind: 'postgresql',
  services: ['billing', 'shop'],
  limit: 120,
  used: 37,
  allowed: 100,
  sessions: 45,
  checked_at: AT,
  ...some,
})
