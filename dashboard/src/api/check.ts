import { type Api, apiUrl } from './client'
import { Unreachable } from './problem'
import { events } from './sse'
import type { Result, Stage, StageResult } from './types'

/** What a test of one target tells as it goes. */
export type CheckEvent =
  | { readonly name: 'began'; readonly stage: Stage }
  | { readonly name: 'stage'; readonly stage: StageResult }
  | { readonly name: 'result'; readonly result: Result }

/**
 * Test what is not saved. Yields its stages as they begin and pass, then its result; aborting the signal closes the
 * stream, which cancels on the server. Raises ApiError and Unreachable.
 */
export async function* openCheck(
  api: Api,
  body: object,
  signal: AbortSignal,
): AsyncGenerator<CheckEvent, void, undefined> {
  const request = new Request(apiUrl('/api/v1/check'), {
    method: 'POST',
    headers: { Accept: 'text/event-stream', 'Content-Type': 'application/json' },
    body: JSON.stringify(body),
    signal,
  })
  yield* told(api, request)
}

/** A test that is done without a result: its target was removed meanwhile. */
export class Removed extends Error {
  constructor() {
    super('There is no result: the target was removed meanwhile.')
    this.name = 'Removed'
  }
}

/** Test a stored target, which counts as a check of it; else as `openCheck`. */
export async function* openCheckOf(
  api: Api,
  id: number,
  signal: AbortSignal | null = null,
): AsyncGenerator<CheckEvent, void, undefined> {
  const headers = { Accept: 'text/event-stream' }
  const address = apiUrl(`/api/v1/targets/${id}/check`)
  yield* told(api, new Request(address, { method: 'POST', headers, signal }))
}

async function* told(api: Api, request: Request): AsyncGenerator<CheckEvent, void, undefined> {
  for await (const { event, data } of events(await api.fetch(request))) {
    if (event === 'done') return
    if (event === 'began') {
      yield { name: 'began', stage: (JSON.parse(data) as { name: Stage }).name }
    }
    if (event === 'stage') yield { name: 'stage', stage: JSON.parse(data) as StageResult }
    if (event === 'result') yield { name: 'result', result: JSON.parse(data) as Result }
  }
  // It ended before it was done: the server was stopped.
  throw new Unreachable()
}
