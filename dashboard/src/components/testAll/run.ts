import { useSyncExternalStore } from 'react'

import { type Api, apiUrl } from '#/api/client'
import { events } from '#/api/sse'
import type { Result } from '#/api/types'
import type { CheckEvent, OpenChecks, Progress, TestRun } from '#/lib/testAll'

/** A run, and which targets it is about, in words. */
export interface Asked {
  run: TestRun
  /** As in "Only what the list shows: down". Null: all that are not paused. */
  words: string | null
}

export const useProgress = (run: TestRun): Progress =>
  useSyncExternalStore(run.subscribe, run.snapshot)

/** Have the server test these targets, and yield what it tells meanwhile. */
export const openChecks = (api: Api): OpenChecks =>
  async function* (ids, signal) {
    const address = apiUrl(`api/v1/targets/check-all?${ids.map((id) => `id=${id}`).join('&')}`)
    const headers = { Accept: 'text/event-stream' }
    const answer = await api.fetch(new Request(address, { method: 'POST', headers, signal }))
    for await (const { event, data } of events(answer)) yield read(event, data)
  }

interface Started {
  total: number
  paused: number
}

function read(event: string, data: string): CheckEvent {
  if (event === 'started') return { name: event, ...(JSON.parse(data) as Started) }
  if (event === 'result') return { name: event, result: JSON.parse(data) as Result }
  return { name: event === 'done' ? event : 'other' }
}
