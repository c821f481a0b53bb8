import { MantineProvider } from '@mantine/core'
import { QueryClient, QueryClientProvider } from '@tanstack/react-query'
import { render } from '@testing-library/react'
import type { ReactNode } from 'react'
import { createMemoryRouter, RouterProvider } from 'react-router'

import { Api } from '#/api/client'
import { ApiContext, ClockContext, LiveContext } from '#/api/context'
import { Live } from '#/api/live'
import { keys } from '#/api/queries'
import type { Role } from '#/api/types'

interface Surroundings {
  /** Who is signed in. */
  role?: Role
  /** The address of the page, and the pattern of its route. */
  at?: string
  route?: string
  api?: Api
}

/** Render a page or a part of one in all that it stands in. Give answers with `answering()`. */
export function renderPage(page: ReactNode, surroundings: Surroundings = {}) {
  const { role = 'admin', at = '/', route = '*', api = new Api() } = surroundings
  const cache = new QueryClient({ defaultOptions: { queries: { retry: false } } })
  const live = new Live(api, cache)
  cache.setQueryData(keys.session, {
    name: 'Tess',
    role,
    csrf: 'csrf',
    expires_at: null,
    token_id: 1,
  })
  const router = createMemoryRouter(
    [
      { path: route, element: page },
      { path: '*', element: null },
    ],
    { initialEntries: [at] },
  )
  const shown = render(
    <MantineProvider env="test">
      <ApiContext value={api}>
        <ClockContext value={api.clock}>
          <LiveContext value={live}>
            <QueryClientProvider client={cache}>
              <RouterProvider router={router} />
            </QueryClientProvider>
          </LiveContext>
        </ClockContext>
      </ApiContext>
    </MantineProvider>,
  )
  return { ...shown, api, cache, live, router }
}
