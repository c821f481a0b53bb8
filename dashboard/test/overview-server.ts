import { Api } from '#/api/client'
import type { OverviewRow, Transition } from '#/api/types'

import { anOverview } from './values'

type Answer = (request: Request) => Response | Promise<Response>

/** A server of one's own making: what it is asked, and what it answers. */
export class OverviewServer extends Api {
  readonly asked: Request[] = []
  transitions: Transition[] = []
  answer: Answer = () => Response.json({})

  constructor(private readonly targets: readonly OverviewRow[]) {
    super()
  }

  override async fetch(request: Request): Promise<Response> {
    this.asked.push(request)
    const { pathname } = new URL(request.url)
    if (pathname === '/api/v1/transitions') {
      return Response.json({ items: this.transitions, next: null })
    }
    if (pathname === '/api/v1/overview') return Response.json(anOverview(this.targets))
    return this.answer(request)
  }
}
