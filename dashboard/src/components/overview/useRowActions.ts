import { notifications } from '@mantine/notifications'
import { useIsMutating, useMutation } from '@tanstack/react-query'

import { type Api, apiUrl, data } from '#/api/client'
import { useApi } from '#/api/context'
import { isSignedOut, Unreachable } from '#/api/problem'
import { events } from '#/api/sse'
import type { OverviewRow, Result, Status, TargetPatch } from '#/api/types'
import { seconds } from '#/lib/format'

const FOUND: Record<Status, string> = {
  up: 'is up',
  degraded: 'is degraded',
  down: 'failed the check',
  unknown: 'could not be checked',
}

const testKey = (id: number) => ['test', id] as const

/** Whether a test that was asked for here is under way; also for a row that was scrolled away. */
export const useTesting = (id: number): boolean =>
  useIsMutating({ mutationKey: testKey(id), exact: true }) > 0

/** Test a target now. Where it stands the event stream tells; the words are for who pressed. */
export function useTestNow({ id, name }: Pick<OverviewRow, 'id' | 'name'>) {
  const api = useApi()
  return useMutation({
    mutationKey: testKey(id),
    mutationFn: () => testNow(api, id),
    onSuccess: (result) =>
      notifications.show({
        id: `test-${id}`,
        message: `${name} ${FOUND[result.status]} (${seconds(result.seconds)})`,
        color: result.failure === null ? 'teal' : 'red',
      }),
    onError: (error) => refused(`${name} was not tested`, error),
  })
}

/** As a stream, so that a page that is closed cancels what nobody will see. */
async function testNow(api: Api, id: number): Promise<Result> {
  const request = new Request(apiUrl(`/api/v1/targets/${id}/check`), {
    method: 'POST',
    headers: { Accept: 'text/event-stream' },
  })
  let found: Result | null = null
  for await (const { event, data: text } of events(await api.fetch(request))) {
    if (event === 'result') found = JSON.parse(text) as Result
  }
  if (found !== null) return found
  throw new Unreachable()
}

/** Pause a target, or resume it. */
export function usePause({ id, name, enabled }: Pick<OverviewRow, 'id' | 'name' | 'enabled'>) {
  const api = useApi()
  return useMutation({
    mutationFn: () =>
      data(
        api.client.PATCH('/api/v1/targets/{target_id}', {
          params: { path: { target_id: id } },
          body: { enabled: !enabled } as TargetPatch,
        }),
      ),
    onError: (error) => refused(`${name} was not ${enabled ? 'paused' : 'resumed'}`, error),
  })
}

function refused(title: string, error: Error): void {
  if (isSignedOut(error)) return
  notifications.show({ title, message: error.message, color: 'red', autoClose: 10_000 })
}
