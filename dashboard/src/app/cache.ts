import { QueryClient } from '@tanstack/react-query'

import type { Api } from '#/api/client'
import { Unreachable } from '#/api/problem'
import { keys } from '#/api/queries'

const MOST_TRIES = 2

/** The cache of all that the server said. Whoever is turned away asks anew who is signed in. */
export function makeCache(api: Api): QueryClient {
  const cache = new QueryClient({
    defaultOptions: {
      queries: {
        staleTime: 10_000,
        networkMode: 'always', // the browser's idea of "online" knows nothing of a server on this machine
        retry: (failures, error) => error instanceof Unreachable && failures < MOST_TRIES,
      },
      mutations: { networkMode: 'always' },
    },
  })
  api.turnedAway = () => void cache.invalidateQueries({ queryKey: keys.session })
  return cache
}
