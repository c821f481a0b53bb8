import { Api } from '#/api/client'
import type { AboutReason, FailureDay, Result, Target, Transition } from '#/api/types'

import { Script } from './stream'
import { aKind, aPast, aResult, aTarget, REJECTED } from './values'

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
  past = aPast()
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
    if (pathname.endsWith('/history')) return Response.json(this.past)
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
