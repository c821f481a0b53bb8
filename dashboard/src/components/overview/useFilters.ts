import { useEffect, useMemo } from 'react'
import { useSearchParams } from 'react-router'

import { useTyped, WRITE_AFTER_MS } from '#/components/useTyped'
import { type Filters, NO_FILTERS, readFilters, unknownIn, writeFilters } from '#/lib/filters'

export interface FilterControl {
  readonly filters: Filters
  /** What the address asks for that there is not, in sentences. */
  readonly unknown: readonly string[]
  /** A choice: a step that the back button takes back. */
  readonly change: (some: Partial<Filters>) => void
  /** The search as it is typed: no step of its own. */
  readonly type: (q: string) => void
  readonly fold: (group: string) => void
  readonly clear: () => void
  /** Takes out of the address what there is not. */
  readonly forget: () => void
}

/** The filters, which stand in the address. */
export function useFilters(): FilterControl {
  const [params, setParams] = useSearchParams()
  const [text, setText] = useTyped(params.get('q') ?? '')
  const filters = useMemo(() => ({ ...readFilters(params), q: text }), [params, text])
  const unknown = useMemo(() => unknownIn(params), [params])
  useEffect(() => {
    if ((params.get('q') ?? '') === filters.q) return
    const write = () => setParams(writeFilters(filters), { replace: true })
    const timer = setTimeout(write, WRITE_AFTER_MS)
    return () => clearTimeout(timer)
  }, [params, filters, setParams])

  return useMemo(() => {
    const write = (some: Partial<Filters>, replace = false) => {
      if (some.q !== undefined) setText(some.q)
      setParams(writeFilters({ ...filters, ...some }), { replace })
    }
    const fold = (group: string) => {
      const others = filters.folded.filter((each) => each !== group)
      const folded = others.length < filters.folded.length ? others : [...others, group]
      write({ folded }, true)
    }
    const clear = () => {
      const { group, sort, folded } = filters
      write({ ...NO_FILTERS, group, sort, folded })
    }
    const forget = () => write({}, true)
    return { filters, unknown, change: write, type: setText, fold, clear, forget }
  }, [filters, unknown, setParams, setText])
}
