import { queryOptions } from '@tanstack/react-query'

import { type Api, data } from '#/api/client'
import { keys } from '#/api/queries'
import type { Pools } from '#/api/types'

const SECOND = 1000
/** How often what is looked at is read anew: programs report every 5 s or more seldom. */
export const PACE = 5 * SECOND
/** A list of many pools has its weight: for each one it is left alone for some milliseconds more. */
const PACE_EACH = 20

/** Every pool as it stands. */
export const poolsQuery = (api: Api) =>
  queryOptions({
    queryKey: [...keys.pools, 'all'],
    queryFn: async ({ signal }) => {
      const page = await data(api.client.GET('/api/v1/pools', { signal }))
      return (page as Pools).items // and no text: that is what CSV is
    },
    staleTime: PACE / 2,
    refetchInterval: ({ state }) => Math.max(PACE, (state.data?.length ?? 0) * PACE_EACH),
  })
