import type { OverviewRow, Shown } from '#/api/types'

import { isSort, labelOf, searchText, type Sort } from './rows'
import { type Counts, countShown, SHOWN, shownStatus } from './status'

/** What the overview shows, as its address says it. */
export interface Filters {
  readonly q: string
  readonly statuses: readonly Shown[]
  readonly kinds: readonly string[]
  /** `key=value` each. */
  readonly labels: readonly string[]
  /** `kind`, `label:KEY`, or empty. */
  readonly group: string
  readonly sort: Sort
  /** The groups that are folded, by their value. */
  readonly folded: readonly string[]
}

export const NO_FILTERS: Filters = {
  q: '',
  statuses: [],
  kinds: [],
  labels: [],
  group: '',
  sort: 'worst',
  folded: [],
}

const isShown = (word: string): word is Shown => (SHOWN as readonly string[]).includes(word)
const isLabel = (word: string): boolean => word.includes('=')
const isGroup = (word: string): boolean => word === 'kind' || word.startsWith('label:')

/** Read the address. What it does not know it leaves out, see `unknownIn`: addresses grow old. */
export function readFilters(params: URLSearchParams): Filters {
  const group = params.get('group') ?? ''
  const sort = params.get('sort')
  return {
    q: params.get('q') ?? '',
    statuses: [...new Set(params.getAll('status').filter(isShown))],
    kinds: [...new Set(params.getAll('kind'))],
    labels: [...new Set(params.getAll('label').filter(isLabel))],
    group: isGroup(group) ? group : '',
    sort: isSort(sort) ? sort : 'worst',
    folded: [...new Set(params.getAll('folded'))],
  }
}

const NOT_KNOWN: Readonly<Record<string, [known: (value: string) => boolean, words: string]>> = {
  status: [isShown, 'No status is called'],
  label: [isLabel, 'A label is written key=value, which this is not:'],
  group: [isGroup, 'No grouping is called'],
  sort: [isSort, 'No order is called'],
}

/** A sentence for each name in the address that says what there is not: it filters nothing. */
export const unknownIn = (params: URLSearchParams): string[] =>
  Object.entries(NOT_KNOWN).flatMap(([name, [known, words]]) => {
    const odd = [...new Set(params.getAll(name))].filter((value) => value !== '' && !known(value))
    return odd.length === 0 ? [] : [`${words} ${alternatives(odd)}.`]
  })

const MOST_NAMED = 3
const LONGEST_NAMED = 60

function alternatives(values: readonly string[]): string {
  const quoted = values
    .slice(0, MOST_NAMED)
    .map(
      (value) => `“${value.length > LONGEST_NAMED ? `${value.slice(0, LONGEST_NAMED)}…` : value}”`,
    )
  const more = values.length - quoted.length
  return [...quoted, ...(more > 0 ? [`${more} more`] : [])].join(', ')
}

/** Write the address. What is as usual does not stand in it. */
export function writeFilters(filters: Filters): URLSearchParams {
  const params = new URLSearchParams()
  if (filters.q !== '') params.set('q', filters.q)
  for (const status of filters.statuses) params.append('status', status)
  for (const kind of filters.kinds) params.append('kind', kind)
  for (const label of filters.labels) params.append('label', label)
  if (filters.group !== '') params.set('group', filters.group)
  if (filters.sort !== 'worst') params.set('sort', filters.sort)
  if (filters.group !== '') for (const name of filters.folded) params.append('folded', name)
  return params
}

/** Whether anything is left out of the list. */
export const isFiltered = (filters: Filters): boolean =>
  filters.q.trim() !== '' ||
  filters.statuses.length + filters.kinds.length + filters.labels.length > 0

/** Labels of one key are alternatives, labels of different keys all have to hold. */
function byKey(labels: readonly string[]): Map<string, Set<string>> {
  const keys = new Map<string, Set<string>>()
  for (const label of labels) {
    const at = label.indexOf('=')
    const values = keys.get(label.slice(0, at)) ?? new Set()
    keys.set(label.slice(0, at), values.add(label.slice(at + 1)))
  }
  return keys
}

interface Filtered {
  readonly rows: OverviewRow[]
  /** How many there are of each status, were no status chosen: what its button would show. */
  readonly counts: Readonly<Counts>
}

/** Choose rows. Every word of the search has to occur somewhere in a row. */
export function filterRows(
  rows: readonly OverviewRow[],
  filters: Pick<Filters, 'q' | 'statuses' | 'kinds' | 'labels'>,
): Filtered {
  const words = filters.q.toLowerCase().split(/\s+/).filter(Boolean)
  const labels = [...byKey(filters.labels)]
  const found = rows.filter((row) => {
    if (filters.kinds.length > 0 && !filters.kinds.includes(row.kind)) return false
    const labelled = labels.every(([key, values]) => {
      const value = labelOf(row, key)
      return value !== undefined && values.has(value)
    })
    if (!labelled) return false
    if (words.length === 0) return true
    const text = searchText(row)
    return words.every((word) => text.includes(word))
  })
  const { statuses } = filters
  const chosen =
    statuses.length === 0 ? found : found.filter((row) => statuses.includes(shownStatus(row)))
  return { rows: chosen, counts: countShown(found) }
}

export interface Choices {
  readonly kinds: readonly string[]
  readonly labels: readonly string[]
  readonly labelKeys: readonly string[]
}

/** What can be chosen from. */
export function choicesOf(rows: readonly OverviewRow[]): Choices {
  const [kinds, labels, labelKeys] = [new Set<string>(), new Set<string>(), new Set<string>()]
  for (const row of rows) {
    kinds.add(row.kind)
    for (const [key, value] of Object.entries(row.labels)) {
      labelKeys.add(key)
      labels.add(`${key}=${value}`)
    }
  }
  return {
    kinds: [...kinds].toSorted(),
    labels: [...labels].toSorted(),
    labelKeys: [...labelKeys].toSorted(),
  }
}
