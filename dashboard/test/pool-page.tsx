import { Notifications } from '@mantine/notifications'
import userEvent from '@testing-library/user-event'
import { vi } from 'vitest'

import type { Finding, PoolHistory, Role } from '#/api/types'
import { PoolPage } from '#/pages/pool'

import { aPool, aPoolPast } from './pool-values'
import { renderPage } from './render'

interface Situation {
  pool?: Parameters<typeof aPool>[0] | null
  past?: PoolHistory | Promise<PoolHistory>
  findings?: readonly Finding[]
  role?: Role
  at?: string
  trouble?: Response | null
}

export const problem = (status: number, detail: string) => Response.json({ detail }, { status })

/** The page of a pool, and the server that it asks. */
export function shown(situation: Situation = {}) {
  const { pool = {}, past = aPoolPast(), findings = [], role = 'operator' } = situation
  const server = {
    pool: pool === null ? null : aPool(pool),
    asked: [] as string[],
    wanted: () => Response.json({ wish: { pool: 'main', do: 'stop', id: 1 }, instances: 4 }),
    trouble: situation.trouble ?? null,
  }
  vi.stubGlobal('fetch', ({ url, method }: Request) => {
    const { pathname, search } = new URL(url)
    server.asked.push(`${method} ${pathname}${search}`)
    return answer(method, pathname)
  })
  async function answer(method: string, path: string): Promise<Response> {
    if (method === 'POST') return server.wanted()
    if (path.endsWith('/history')) return Response.json(await past)
    if (path.endsWith('/diagnostics')) return Response.json({ findings, comparison: [] })
    if (server.trouble !== null) return server.trouble.clone()
    return server.pool === null ? problem(404, 'There is none.') : Response.json(server.pool)
  }
  const page = renderPage(
    <>
      <PoolPage />
      <Notifications />
    </>,
    { role, at: situation.at ?? '/pools/7', route: '/pools/:id' },
  )
  return { ...page, server, user: userEvent.setup() }
}
