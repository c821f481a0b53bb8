import type { OverviewRow, Shown } from '#/api/types'

import { labelOf } from './rows'
import { type Counts, countShown, SEVERITY, worstOf } from './status'

export interface Group {
  readonly name: string
  readonly counts: Readonly<Counts>
  readonly worst: Shown
  readonly size: number
}

/** A line of the list: a target, or the heading of a group. */
export type Line =
  | { readonly type: 'row'; readonly row: OverviewRow }
  | { readonly type: 'group'; readonly group: Group; readonly folded: boolean }

/** The group of those that do not have the label, or have it with no value. */
export const NO_LABEL = ''

function groupOf(row: OverviewRow, by: string): string {
  return by === 'kind' ? row.kind : (labelOf(row, by.slice('label:'.length)) ?? NO_LABEL)
}

/** Sort rows into groups, the worst first, then by name; inside of each the order of the rows stays. */
function grouped(rows: readonly OverviewRow[], by: string): [Group, OverviewRow[]][] {
  const members = new Map<string, OverviewRow[]>()
  for (const row of rows) {
    const name = groupOf(row, by)
    const inside = members.get(name)
    if (inside === undefined) members.set(name, [row])
    else inside.push(row)
  }
  const groups = [...members].map(([name, inside]): [Group, OverviewRow[]] => {
    const counts = countShown(inside)
    return [{ name, counts, worst: worstOf(counts), size: inside.length }, inside]
  })
  return groups.toSorted(
    ([a], [b]) =>
      SEVERITY[b.worst] - SEVERITY[a.worst] ||
      Number(a.name === NO_LABEL) - Number(b.name === NO_LABEL) ||
      (a.name < b.name ? -1 : 1),
  )
}

// A row's line is the same object as long as its row is: a list that is drawn anew then has nothing to do.
const lines = new WeakMap<OverviewRow, Line>()

function lineOf(row: OverviewRow): Line {
  let line = lines.get(row)
  if (line === undefined) {
    line = { type: 'row', row }
    lines.set(row, line)
  }
  return line
}

/** The list's lines: rows as they are, or below the headings of their groups. */
export function linesOf(
  rows: readonly OverviewRow[],
  by: string,
  folded: readonly string[],
): Line[] {
  if (by === '') return rows.map(lineOf)
  return grouped(rows, by).flatMap(([group, inside]) => {
    const hidden = folded.includes(group.name)
    const heading: Line = { type: 'group', group, folded: hidden }
    return hidden ? [heading] : [heading, ...inside.map(lineOf)]
  })
}

/** What a line is known by, whatever its place. */
export const keyOf = (line: Line): string =>
  line.type === 'row' ? String(line.row.id) : `group ${line.group.name}`

/** The line that the tab key comes to. Without a key it is the first, whichever that is. */
export interface Current {
  readonly key: string | null
  readonly at: number
}

export const FIRST: Current = { key: null, at: 0 }

/** Find a line again after others have come, gone or moved; where it is gone, what now has its place. */
export function locate<T>(
  listed: readonly T[],
  current: Current,
  keyed: (line: T) => string,
): Current {
  const { key, at } = current
  const here = listed[at]
  if (key === null || (here !== undefined && keyed(here) === key)) return current
  const found = listed.findIndex((line) => keyed(line) === key)
  if (found >= 0) return { key, at: found }
  const next = Math.min(at, listed.length - 1)
  const line = listed[next]
  return line === undefined ? FIRST : { key: keyed(line), at: next }
}
