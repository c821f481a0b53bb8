import type {
  AboutReason,
  Failure,
  History,
  Kind,
  Overview,
  OverviewRow,
  Result,
  Target,
  Transition,
} from '#/api/types'

const AT = '2026-01-02T03:04:05.678901+00:00'

// What the API tells, with every key, for tests that care for some.

export const aFailure = (some: Partial<Failure> = {}): Failure => ({
  reason: 'auth',
  stage: 'auth',
  code: 'WRONGPASS',
  message: 'invalid username-password pair',
  hint: null,
  fix: null,
  ...some,
})

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

/** The row of the target of this number, which is named after it. */
export const aRowOf = (id: number, some: Partial<OverviewRow> = {}): OverviewRow =>
  aRow({ id, name: `t${id}`, ...some })

export const anOverview = (
  targets: readonly OverviewRow[],
  some: Partial<Overview> = {},
): Overview => ({
  status: 'up',
  summary: { up: 0, degraded: 0, down: 0, unknown: 0, paused: 0 },
  targets: [...targets],
  monitoring: { active: true, last_tick: null, lag: null, last_write: null, store_error: null },
  history_at: null,
  revision: 1,
  ...some,
})

export const aResult = (some: Partial<Result> = {}): Result => ({
  target: { id: 1, name: 'orders', kind: 'postgresql', address: 'db.example:5432/orders' },
  status: 'up',
  failure: null,
  stages: [
    { name: 'dns', status: 'passed', seconds: 0.001 },
    { name: 'tcp', status: 'passed', seconds: 0.002 },
    { name: 'tls', status: 'skipped', seconds: null },
    { name: 'auth', status: 'passed', seconds: null },
  ],
  details: { server_version: '15.4' },
  numbers: { sessions_used: 3, sessions_max: 100 },
  warnings: [],
  started_at: AT,
  seconds: 0.01,
  region: 'local',
  trigger: 'schedule',
  ...some,
})

/** A result of the target of this number, which is named after it. */
export const aResultOf = (id: number, some: Partial<Result> = {}): Result =>
  aResult({ target: { ...aResult().target, id, name: `t${id}` }, ...some })

export const aTransition = (some: Partial<Transition> = {}): Transition => ({
  target_id: 1,
  old: 'up',
  new: 'down',
  at: '2026-01-02T00:00:00.000000+00:00',
  failure: aFailure(),
  note: null,
  ...some,
})

export const aTarget = (some: Partial<Target> = {}): Target => ({
  id: 1,
  origin: 'api',
  version: 3,
  changed_at: AT,
  address: 'db.example:5432/orders',
  name: 'orders',
  kind: 'postgresql',
  url: 'postgresql://shop:***@db.example:5432/orders',
  interval: 30,
  timeout: 5,
  retry: true,
  retry_delay: 4,
  failures_before_down: 3,
  successes_before_up: 1,
  degraded_above: null,
  labels: { team: 'shop' },
  enabled: true,
  depends_on: [],
  regions: ['local'],
  quorum: 1,
  health: {
    status: 'up',
    since: AT,
    checking: false,
    confirming: null,
    last: aResult(),
    next_check_at: null,
    calm: false,
  },
  ...some,
})

export const aKind = (some: Partial<Kind> = {}): Kind => ({
  name: 'postgresql',
  title: 'PostgreSQL: log in',
  schemes: ['postgresql'],
  proves: {
    dns: 'the name resolves',
    tcp: 'something listens',
    tls: 'TLS is offered',
    auth: 'the role may log in',
  },
  defaults: {},
  extra: null,
  local: false,
  passive: false,
  settings: {
    type: 'object',
    required: ['url'],
    properties: {
      kind: { const: 'postgresql' },
      url: { type: 'string', format: 'password', writeOnly: true },
      query: { type: 'string', default: 'SELECT 1', description: 'What is run.' },
    },
  },
  ...some,
})

export const REJECTED: AboutReason = {
  name: 'auth',
  meaning: 'The login was rejected.',
  advice: 'Correct user, password or token.',
  permanent: true,
  status: 'down',
}

/** A reason that came after this page was built. */
export const QUOTA: AboutReason = {
  ...REJECTED,
  name: 'quota_spent' as AboutReason['name'],
  meaning: 'The month’s requests are used up.',
  advice: 'Wait, or buy more.',
  permanent: false,
}

export const aPast = (): History => ({
  window: '24h',
  since: '2026-01-01T03:00:00.000000+00:00',
  until: AT,
  step: 600,
  uptime: 0.5,
  buckets: [aBucket(0, 0), aBucket(1, 4), aBucket(2, 4)],
})

const aBucket = (index: number, count: number): History['buckets'][number] => ({
  start: new Date(Date.UTC(2026, 0, 2, 3, index * 10)).toISOString(),
  count,
  failures: count / 2,
  min: count > 0 ? 0.01 : null,
  mean: count > 0 ? 0.012 : null,
  max: count > 0 ? 0.02 : null,
  p50: count > 0 ? 0.012 : null,
  p95: count > 0 ? 0.019 : null,
  uptime: count > 0 ? 0.5 : null,
  stages: count > 0 ? { dns: 0.002, tcp: 0.01 } : {},
})
