import { notifications } from '@mantine/notifications'
import { useIsMutating, useMutation } from '@tanstack/react-query'

import { openCheckOf, Removed } from '#/api/check'
import type { Api } from '#/api/client'
import { useApi } from '#/api/context'
import { isSignedOut } from '#/api/problem'
import type { OverviewRow, Result, Status } from '#/api/types'
import { usePause } from '#/components/usePause'
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
  let found: Result | null = null
  for await (const event of openCheckOf(api, id)) {
    if (event.name === 'result') found = event.result
  }
  if (found === null) throw new Removed()
  return found
}

/** Pause a target, or resume it. */
export const usePauseOf = ({ id, name, enabled }: Pick<OverviewRow, 'id' | 'name' | 'enabled'>) =>
  usePause({ id, enabled }, (error) =>
    refused(`${name} was not ${enabled ? 'paused' : 'resumed'}`, error),
  )

function refused(title: string, error: Error): void {
  if (isSignedOut(error)) return
  notifications.show({ title, message: error.message, color: 'red', autoClose: 10_000 })
}
