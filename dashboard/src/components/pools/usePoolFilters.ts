import { useEffect, useMemo } from 'react'
import { useSearchParams } from 'react-router'

import { useTyped, WRITE_AFTER_MS } from '#/components/useTyped'
import { type PoolFilters, readPoolFilters, writePoolFilters } from '#/lib/pools'

export interface PoolFilterControl {
  readonly filters: PoolFilters
  /** The search as it is typed: no step of its own. */
  readonly type: (q: string) => void
  /** A choice: a step that the back button takes back. */
  readonly choose: (service: string) => void
  readonly clear: () => void
}

/** The filters, which stand in the address. */
export function usePoolFilters(): PoolFilterControl {
  const [params, setParams] = useSearchParams()
  const [q, type] = useTyped(params.get('q') ?? '')
  const filters = useMemo(() => ({ ...readPoolFilters(params), q }), [params, q])
  useEffect(() => {
    if ((params.get('q') ?? '') === filters.q) return
    const write = () => setParams((before) => writePoolFilters(filters, before), { replace: true })
    const timer = setTimeout(write, WRITE_AFTER_MS)
    return () => clearTimeout(timer)
  }, [params, filters, setParams])
  return {
    filters,
    type,
    choose: (service) => setParams((before) => writePoolFilters({ ...filters, service }, before)),
    clear: () => {
      type('')
      setParams(new URLSearchParams())
    },
  }
}
