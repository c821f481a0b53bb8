import type { Failure, Overview, OverviewRow } from '#/api/types'

/** A failure with every key, for tests that care for some. */
export const aFailure = (some: Partial<Failure> = {}): Failure => ({
  reason: 'auth',
  stage: 'auth',
  code: 'WRONGPASS',
  message: 'invalid username-password pair',
  hint: null,
  fix: null,
  ...some,
})

/** A row with every key, for tests that care for some. */
export const aRow = (some: Partial<OverviewRow> = {}): OverviewRow => ({
  id: 1,
  name: 'orders',
  kind: 'redis',
  address: '10.0.0.7:6379',
  labels: {},
  enabled: true,
  origin: 'api',
  status: 'up',
  since: '2026-01-01T00:00:00.000000+00:00',
  checking: false,
  confirming: null,
  failure: null,
  warnings: [],
  seconds: 0.0123,
  checked_at: '2026-01-02T00:00:00.000000+00:00',
  next_check_at: null,
  uptime_24h: 1,
  latency: [],
  ...some,
})

export const anOverview = (targets: readonly OverviewRow[]): Overview => ({
  status: 'up',
  summary: { up: 0, degraded: 0, down: 0, unknown: 0, paused: 0 },
  targets: [...targets],
  monitoring: { active: true, last_tick: null, lag: null, last_write: null, store_error: null },
  history_at: null,
  revision: 1,
})
