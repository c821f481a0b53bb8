import { useQueryClient } from '@tanstack/react-query'

import { useApi } from '#/api/context'
import { targetQuery } from '#/api/queries'
import type { Target } from '#/api/types'

/** Gives a function that reads the target as it stands now: it, or why it could not be read. */
export function useLatest(id: number) {
  const api = useApi()
  const cache = useQueryClient()
  return async (): Promise<[Target, null] | [null, Error]> => {
    try {
      const found: unknown = await cache.fetchQuery({ ...targetQuery(api, id), staleTime: 0 })
      return [found as Target, null]
    } catch (error) {
      return [null, error as Error]
    }
  }
}
