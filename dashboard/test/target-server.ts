import { Api } from '#/api/client'
import type {
  AboutReason,
  FailureDay,
  History,
  Kind,
  Result,
  Target,
  Transition,
} from '#/api/types'

import { Script } from './stream'

const AT = '2026-01-02T03:04:05.678901+00:00'

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

const REJECTED: AboutReason = {
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

const problem = (status: number, detail: string): Response =>
  Response.json({ title: 'x', status, detail, errors: [] }, { status })

/** A server that knows one target. */
export class TargetServer extends Api {
  readonly asked: Request[] = []
  target: Target | null = aTarget()
  kind = aKind()
  reasons: readonly AboutReason[] = [REJECTED]
  results: Result[] = [aResult()]
  changes: Transition[] = []
  older: FailureDay[] = []
  /** What an edit or a removal is refused with. */
  refusal: Response | null = null
  test: Script | null = null

  /** How often something whose path ends so was asked for. */
  count = (end: string): number =>
    this.asked.filter(({ url }) => new URL(url).pathname.endsWith(end)).length

  kinds = () => ({ items: [this.kind], next: null, common: {}, reasons: this.reasons })

  override async fetch(request: Request): Promise<Response> {
    this.asked.push(request)
    const { pathname } = new URL(request.url)
    if (pathname.endsWith('/kinds')) return Response.json(this.kinds())
    if (pathname.endsWith('/check')) {
      this.test = new Script(request.signal)
      return this.test.response
    }
    if (request.method !== 'GET') return this.change()
    if (this.target === null) return this.refused(problem(404, 'There is no target 1.'))
    if (pathname.endsWith('/history')) return Response.json(aPast())
    if (pathname.endsWith('/results')) return Response.json({ items: this.results, next: 'more' })
    if (pathname.endsWith('/failures')) return Response.json({ items: this.older, next: null })
    if (pathname.endsWith('/transitions')) {
      return Response.json({ items: this.changes, next: null })
    }
    return Response.json(this.target)
  }

  private async change(): Promise<Response> {
    return this.refusal === null ? new Response(null, { status: 204 }) : this.refused(this.refusal)
  }

  /** Raise what the real one does. */
  private async refused(answer: Response): Promise<Response> {
    const { ApiError } = await import('#/api/problem')
    throw new ApiError((await answer.json()) as ConstructorParameters<typeof ApiError>[0])
  }
}
