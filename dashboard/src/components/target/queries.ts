import { infiniteQueryOptions, keepPreviousData, queryOptions } from '@tanstack/react-query'

import { type Api, data } from '#/api/client'
import type { AboutReason, Status } from '#/api/types'
import type { Window } from '#/lib/window'

// None of these keys begins with that of the target: what is below it is read anew at every check,
// and the past of a month need not be.
const PAST = 'past'
const RESULTS = 'results'
const CHANGES = 'changes'
const OLDER = 'older failures'

const SECOND = 1000
const MINUTE = 60 * SECOND

/** How often a window is read anew while it is looked at: its newest step moves no faster. */
const PACE: Record<Window, number> = {
  '1h': 15 * SECOND,
  '24h': MINUTE,
  '7d': 5 * MINUTE,
  '30d': 15 * MINUTE,
}

export const pastKey = (id: number) => [PAST, id] as const

/** `since`: when the newest change was; another one, and be it the first, makes it be read anew. */
export const pastQuery = (api: Api, id: number, window: Window, since: string | null) =>
  queryOptions({
    queryKey: [...pastKey(id), window, since],
    queryFn: ({ signal }) =>
      data(
        api.client.GET('/api/v1/targets/{target_id}/history', {
          params: { path: { target_id: id }, query: { window } },
          signal,
        }),
      ),
    staleTime: PACE[window] / 2,
    refetchInterval: PACE[window],
    // The window that is shown stays until the other one is there; another target's never does.
    placeholderData: (before, query) => (query?.queryKey[1] === id ? before : undefined),
  })

export interface ResultFilter {
  status: Status | null
  /** One that this page does not know is for the API to judge. */
  reason: string | null
}

type Cursor = string | null

/** How lists are read a page at a time: a page's `next` is the cursor of the one that follows. */
const PAGED = {
  initialPageParam: null as Cursor,
  getNextPageParam: (page: { readonly next: Cursor }) => page.next,
} as const

const from = (cursor: Cursor) => ({ limit: 20, ...(cursor !== null && { cursor }) })

/** `until`: the newest check that the list is to hold; a later one makes it be read anew. */
export const resultsQuery = (api: Api, id: number, filter: ResultFilter, until: string | null) =>
  infiniteQueryOptions({
    ...PAGED,
    queryKey: [RESULTS, id, filter, until],
    queryFn: ({ signal, pageParam }) =>
      data(
        api.client.GET('/api/v1/targets/{target_id}/results', {
          params: {
            path: { target_id: id },
            query: {
              ...from(pageParam),
              ...(filter.status !== null && { status: filter.status }),
              ...(filter.reason !== null && { reason: filter.reason as AboutReason['name'] }),
            },
          },
          signal,
        }),
      ),
    staleTime: Infinity,
    gcTime: 10 * SECOND,
    placeholderData: keepPreviousData,
  })

/** `since`: when the newest change was; another one makes the list be read anew. */
export const changesQuery = (api: Api, id: number, since: string | null) =>
  infiniteQueryOptions({
    ...PAGED,
    queryKey: [CHANGES, id, since],
    queryFn: ({ signal, pageParam }) =>
      data(
        api.client.GET('/api/v1/targets/{target_id}/transitions', {
          params: {
            path: { target_id: id },
            query: from(pageParam),
          },
          signal,
        }),
      ),
    staleTime: MINUTE,
    placeholderData: (before, query) => (query?.queryKey[1] === id ? before : undefined),
  })

/** Failures that are older than a day, per day and cause. */
export const olderQuery = (api: Api, id: number) =>
  infiniteQueryOptions({
    ...PAGED,
    queryKey: [OLDER, id],
    queryFn: ({ signal, pageParam }) =>
      data(
        api.client.GET('/api/v1/targets/{target_id}/failures', {
          params: {
            path: { target_id: id },
            query: from(pageParam),
          },
          signal,
        }),
      ),
    staleTime: MINUTE,
  })
