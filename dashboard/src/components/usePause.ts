import { useMutation, useQueryClient } from '@tanstack/react-query'

import { data } from '#/api/client'
import { useApi } from '#/api/context'
import { keys } from '#/api/queries'
import type { OverviewRow, TargetPatch } from '#/api/types'

/**
 * Pause a target, or resume it. It says what is to be, without a version: whatever somebody else changed
 * meanwhile stays as they left it.
 */
export function usePause(
  { id, enabled }: Pick<OverviewRow, 'id' | 'enabled'>,
  onError?: (error: Error) => void,
) {
  const api = useApi()
  const cache = useQueryClient()
  return useMutation({
    mutationFn: () =>
      data(
        api.client.PATCH('/api/v1/targets/{target_id}', {
          params: { path: { target_id: id } },
          body: { enabled: !enabled } as TargetPatch,
        }),
      ),
    ...(onError === undefined ? {} : { onError }),
    // Also after an error: what it is now is another than what was pressed.
    onSettled: () => cache.invalidateQueries({ queryKey: keys.target(id) }),
  })
}
