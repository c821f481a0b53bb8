import { useQueryClient } from '@tanstack/react-query'

import { openCheckOf } from '#/api/check'
import { useApi } from '#/api/context'
import { keys } from '#/api/queries'
import { useCheck } from '#/components/useCheck'

import { pastKey } from './queries'

/** Tests a target now, which counts as a check of it. */
export function useTestNow(id: number) {
  const api = useApi()
  const cache = useQueryClient()
  const { check, run, cancel } = useCheck()
  const start = async () => {
    await run((signal) => openCheckOf(api, id, signal))
    void cache.invalidateQueries({ queryKey: keys.target(id) })
    void cache.invalidateQueries({ queryKey: pastKey(id) })
  }
  return { test: check, start: () => void start(), cancel }
}
