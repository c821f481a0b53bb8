import { MutationCache, QueryCache, QueryClient } from '@tanstack/react-query'

import { ApiError, Unreachable } from '#/api/problem'
import { keys } from '#/api/queries'

const MOST_TRIES = 2
/** Not signed in, and not allowed: also where another tab has signed in as somebody else. */
const TURNED_AWAY: ReadonlySet<number> = new Set([401, 403])

/** The cache of all that the server said. Whoever is turned away asks anew who is signed in. */
export function makeCache(): QueryClient {
  const heed = (error: Error, key?: readonly unknown[]) => {
    const turnedAway = error instanceof ApiError && TURNED_AWAY.has(error.status)
    if (turnedAway && key?.[0] !== keys.session[0]) {
      void cache.invalidateQueries({ queryKey: keys.session })
    }
  }
  const cache: QueryClient = new QueryClient({
    queryCache: new QueryCache({ onError: (error, query) => heed(error, query.queryKey) }),
    mutationCache: new MutationCache({ onError: (error) => heed(error) }),
    defaultOptions: {
      queries: {
        staleTime: 10_000,
        networkMode: 'always', // the browser's idea of "online" knows nothing of a server on this machine
        retry: (failures, error) => error instanceof Unreachable && failures < MOST_TRIES,
      },
      mutations: { networkMode: 'always' },
    },
  })
  return cache
}
