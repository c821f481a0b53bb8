import { useMutation, useQueryClient } from '@tanstack/react-query'

import { data } from '#/api/client'
import { useApi } from '#/api/context'
import { keys } from '#/api/queries'
import type { SavedTarget, TargetInput, TargetPatch } from '#/api/types'
import type { Body } from '#/lib/form'

/** The client's types of lists are too narrow to be anybody's. */
const stored = async (call: Promise<{ data?: unknown }>) => (await data(call)) as SavedTarget

/** Stores a target or an edit of one. Each gives back the error, null where there is none. */
export function useSave(saved: (target: SavedTarget) => void) {
  const api = useApi()
  const cache = useQueryClient()
  const done = (target: SavedTarget) => {
    const { report_to: _, ...shown } = target
    cache.setQueryData(keys.target(target.id), shown)
    void cache.invalidateQueries({ queryKey: keys.overview })
    saved(target)
  }
  const adding = useMutation({
    gcTime: 0, // it holds secrets
    mutationFn: (body: Body) =>
      stored(api.client.POST('/api/v1/targets', { body: body as TargetInput })),
  })
  const editing = useMutation({
    gcTime: 0,
    mutationFn: ({ id, body }: { id: number; body: Body }) =>
      stored(
        api.client.PATCH('/api/v1/targets/{target_id}', {
          params: { path: { target_id: id } },
          body: body as TargetPatch,
        }),
      ),
  })
  const settle = async (call: Promise<SavedTarget>): Promise<Error | null> => {
    try {
      done(await call)
      return null
    } catch (error) {
      return error as Error
    }
  }
  return {
    saving: adding.isPending || editing.isPending,
    add: (body: Body) => settle(adding.mutateAsync(body)),
    edit: (id: number, body: Body) => settle(editing.mutateAsync({ id, body })),
  }
}
