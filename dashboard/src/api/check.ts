import { type Api, apiUrl } from './client'
import { Unreachable } from './problem'
import { events } from './sse'
import type { Result, StageResult } from './types'

/** What a test of something that is not saved tells as it goes. */
export type CheckEvent =
  | { readonly name: 'stage'; readonly stage: StageResult }
  | { readonly name: 'result'; readonly result: Result }

/**
 * Test what is not saved. Yields its stages as they pass, then its result; aborting the signal closes the
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
  for await (const { event, data } of events(await api.fetch(request))) {
    if (event === 'done') return
    if (event === 'stage') yield { name: 'stage', stage: JSON.parse(data) as StageResult }
    if (event === 'result') yield { name: 'result', result: JSON.parse(data) as Result }
  }
  // It ended before it was done: the server was stopped.
  throw new Unreachable()
}
