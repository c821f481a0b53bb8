import { queryOptions } from '@tanstack/react-query'

import { keyOf } from '#/lib/feed'

import { type Api, data } from './client'
import type { Transition } from './types'

/** Of a burst many are told in one sentence, which counts them. */
const MOST = 300

const newestFirst = (a: Transition, b: Transition): number =>
  a.at === b.at ? 0 : a.at < b.at ? 1 : -1

/** Both, newest first and each once. */
function merged(known: readonly Transition[], more: readonly Transition[]): Transition[] {
  const all = new Map([...known, ...more].map((each) => [keyOf(each), each]))
  return [...all.values()].toSorted(newestFirst).slice(0, MOST)
}

export const TRANSITIONS = ['transitions'] as const

/** The newest changes of health of all targets. */
export const transitionsQuery = (api: Api) =>
  queryOptions({
    queryKey: TRANSITIONS,
    queryFn: async ({ signal }) => {
      const query = { limit: MOST }
      return (await data(api.client.GET('/api/v1/transitions', { params: { query }, signal })))
        .items
    },
    staleTime: Infinity,
    // What is put into the cache adds to it: an answer that was on its way while the event stream
    // told more must not take that away again.
    structuralSharing: (known, more) => merged((known ?? []) as Transition[], more as Transition[]),
  })
