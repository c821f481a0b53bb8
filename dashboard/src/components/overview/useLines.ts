import { replaceEqualDeep } from '@tanstack/react-query'
import { useDeferredValue, useMemo, useState } from 'react'

import type { OverviewRow } from '#/api/types'
import { type Choices, choicesOf, type Filters, filterRows } from '#/lib/filters'
import { linesOf } from '#/lib/group'
import { sortRows } from '#/lib/rows'

/**
 * What is listed. Both the rows and the filters come a moment late where much is going on: keys and
 * clicks go before, and each step is made anew only when what it is made of is another.
 */
export function useLines(latest: readonly OverviewRow[], wanted: Filters) {
  const rows = useDeferredValue(latest)
  const filters = useDeferredValue(wanted)
  const { q, statuses, kinds, labels, sort, group, folded } = filters
  const sorted = useMemo(() => sortRows(rows, sort), [rows, sort])
  const filtered = useMemo(
    () => filterRows(sorted, { q, statuses, kinds, labels }),
    [sorted, q, statuses, kinds, labels],
  )
  const lines = useMemo(() => linesOf(filtered.rows, group, folded), [filtered, group, folded])
  return { lines, counts: filtered.counts, found: filtered.rows.length }
}

/** What can be chosen from: the same object as long as it says the same. */
export function useChoices(latest: readonly OverviewRow[]): Choices {
  const rows = useDeferredValue(latest)
  const made = useMemo(() => choicesOf(rows), [rows])
  const [kept, keep] = useState(made)
  const choices = replaceEqualDeep(kept, made)
  if (choices !== kept) keep(choices)
  return choices
}
