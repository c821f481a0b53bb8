import { type Api, apiUrl } from '#/api/client'
import { events } from '#/api/sse'
import type { Result, StageResult } from '#/api/types'

export type CheckEvent =
  | { readonly name: 'stage'; readonly stage: StageResult }
  | { readonly name: 'result'; readonly result: Result }

/** Have the server test a target, and yield its stages as they pass. Aborting cancels the test. */
export async function* streamCheck(
  api: Api,
  id: number,
  signal: AbortSignal,
): AsyncGenerator<CheckEvent, void, undefined> {
  const request = new Request(apiUrl(`api/v1/targets/${id}/check`), {
    method: 'POST',
    headers: { Accept: 'text/event-stream' },
    signal,
  })
  for await (const { event, data } of events(await api.fetch(request))) {
    if (event === 'stage') yield { name: event, stage: JSON.parse(data) as StageResult }
    if (event === 'result') yield { name: event, result: JSON.parse(data) as Result }
  }
}
