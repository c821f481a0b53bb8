import { queryOptions } from '@tanstack/react-query'

import { type Api, data } from './client'

/** The key of everything that is cached, so that no two places spell one differently. */
export const keys = {
  session: ['session'],
  overview: ['overview'],
  kinds: ['kinds'],
  tokens: ['tokens'],
  target: (id: number) => ['target', id],
  /** All that was read of pools. */
  pools: ['pools'],
  pool: (id: number) => ['pools', id],
} as const

export const sessionQuery = (api: Api) =>
  queryOptions({
    queryKey: keys.session,
    queryFn: async ({ signal }) => {
      const session = await data(api.client.GET('/api/v1/session', { signal }))
      api.csrf = session.csrf
      return session
    },
    staleTime: Infinity,
  })

/** How everything stands. Kept true by the event stream, so it never grows old by itself. */
export const overviewQuery = (api: Api) =>
  queryOptions({
    queryKey: keys.overview,
    queryFn: ({ signal }) => data(api.client.GET('/api/v1/overview', { signal })),
    staleTime: Infinity,
    structuralSharing: false, // to compare 10,000 rows in depth takes longer than to draw those in sight
  })

export const kindsQuery = (api: Api) =>
  queryOptions({
    queryKey: keys.kinds,
    queryFn: ({ signal }) => data(api.client.GET('/api/v1/kinds', { signal })),
    staleTime: Infinity,
  })

/** What `kindsQuery` reads tells of the reasons too. */
export const reasonsQuery = (api: Api) =>
  queryOptions({ ...kindsQuery(api), select: ({ reasons }) => reasons })

export const tokensQuery = (api: Api) =>
  queryOptions({
    queryKey: keys.tokens,
    queryFn: async ({ signal }) => (await data(api.client.GET('/api/v1/tokens', { signal }))).items,
  })

export const targetQuery = (api: Api, id: number) =>
  queryOptions({
    queryKey: keys.target(id),
    queryFn: ({ signal }) =>
      data(
        api.client.GET('/api/v1/targets/{target_id}', {
          params: { path: { target_id: id } },
          signal,
        }),
      ),
  })
