import { type QueryClient, queryOptions } from '@tanstack/react-query'

import { type Api, data } from '#/api/client'
import { keys } from '#/api/queries'
import type { PoolHistory, Pools } from '#/api/types'
import { type FIT, POOL_WINDOWS, type PoolWindow, windowOf } from '#/lib/window'

const SECOND = 1000
/** How often what is looked at is read anew: programs report every 5 s or more seldom. */
export const PACE = 5 * SECOND
/** A list of many pools has its weight: for each one it is left alone for some milliseconds more. */
const PACE_EACH = 20

/** How often a window is read anew while it is looked at: its newest step moves no faster. */
const PAST_PACE: Record<PoolWindow, number> = {
  '1h': 15 * SECOND,
  '24h': 60 * SECOND,
  '7d': 300 * SECOND,
}

/** The window that a past is of, be it that the server chose it. */
export const shownWindow = ({ window }: PoolHistory): PoolWindow =>
  windowOf(window, POOL_WINDOWS, '24h')

interface PastQuery {
  readonly state: { readonly data: PoolHistory | undefined }
}

const paceOf = (past: PoolHistory | undefined): number =>
  past === undefined ? PACE : PAST_PACE[shownWindow(past)]

const PAST = {
  staleTime: ({ state }: PastQuery) => paceOf(state.data) / 2,
  refetchInterval: ({ state }: PastQuery) => paceOf(state.data),
} as const

const of = (id: number) => ({ path: { target_id: id } })

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

/** One pool as it stands; the list has told of it where one comes from there. */
export const poolQuery = (api: Api, id: number, cache: QueryClient) => {
  const { queryKey } = poolsQuery(api)
  return queryOptions({
    queryKey: keys.pool(id),
    initialData: () => cache.getQueryData(queryKey)?.find((pool) => pool.id === id),
    initialDataUpdatedAt: () => cache.getQueryState(queryKey)?.dataUpdatedAt,
    queryFn: ({ signal }) =>
      data(api.client.GET('/api/v1/pools/{target_id}', { params: of(id), signal })),
    staleTime: PACE / 2,
    refetchInterval: PACE,
  })
}

/** What is worth knowing of a pool. */
export const findingsQuery = (api: Api, id: number) =>
  queryOptions({
    queryKey: [...keys.pool(id), 'findings'],
    queryFn: async ({ signal }) =>
      (
        await data(
          api.client.GET('/api/v1/pools/{target_id}/diagnostics', { params: of(id), signal }),
        )
      ).findings,
    refetchInterval: 3 * PACE,
  })

/** What is asked for, or an hour if that holds the past, else a day. */
export type AskedWindow = PoolWindow | typeof FIT

/** A pool's past. */
export const poolPastQuery = (api: Api, id: number, window: AskedWindow) =>
  queryOptions({
    queryKey: [...keys.pool(id), 'past', window],
    queryFn: async ({ signal }) => {
      const params = { ...of(id), query: { window } }
      const past = await data(
        api.client.GET('/api/v1/pools/{target_id}/history', { params, signal }),
      )
      return past as PoolHistory // and no text: that is what CSV is
    },
    ...PAST,
    // The window that is shown stays until the other one is there; another pool's never does.
    placeholderData: (before, query) => (query?.queryKey[1] === id ? before : undefined),
  })

/** The past of all pools of a service, added up. */
export const servicePastQuery = (api: Api, service: string, window: AskedWindow) =>
  queryOptions({
    queryKey: [...keys.pools, 'service', service, window],
    queryFn: async ({ signal }) => {
      const params = { query: { service, window } }
      const past = await data(api.client.GET('/api/v1/pools/history', { params, signal }))
      return past as PoolHistory
    },
    ...PAST,
    placeholderData: (before, query) => (query?.queryKey[2] === service ? before : undefined),
  })
