import { vi } from 'vitest'

import type { Pool, PoolHistory } from '#/api/types'

import { aPoolPast } from './pool-values'
import { Script } from './stream'
import { anOverview } from './values'

/** Let the server have these pools and their past, or answer that it cannot. */
export function serving(pools: readonly Pool[] | null, past: PoolHistory | null = aPoolPast()) {
  const server = { pools, past, asked: 0, pasts: [] as string[], streams: [] as Script[] }
  vi.stubGlobal('fetch', ({ url, signal }: Request) => {
    if (url.includes('/events')) {
      const stream = new Script(signal)
      server.streams.push(stream)
      return Promise.resolve(stream.response)
    }
    if (url.endsWith('/overview')) return Promise.resolve(Response.json(anOverview([])))
    const no = () => Response.json({ detail: 'The store does not answer.' }, { status: 503 })
    const { pathname, search } = new URL(url)
    if (pathname.endsWith('/history')) {
      server.pasts.push(search)
      return Promise.resolve(server.past === null ? no() : Response.json(server.past))
    }
    server.asked += 1
    const { pools: known } = server
    return Promise.resolve(known === null ? no() : Response.json({ items: known, next: null }))
  })
  return server
}
