import { defaultRangeExtractor, type Range, useWindowVirtualizer } from '@tanstack/react-virtual'
import { type RefObject, useCallback } from 'react'

import { useTopOf } from './useTopOf'

const OVERSCAN = 6
/** What covers the window above the list, and the room that is left below a line gone to. */
export const COVERED = { top: 112, bottom: 16 } as const

export interface RowsOptions<T> {
  lines: readonly T[]
  /** What tells a line from the others. Like `heightOf` the same function at each draw: see below. */
  keyOf: (line: T) => string
  /** Pixels. */
  heightOf: (line: T) => number
}

/** The lines in sight, and the one that the tab key comes to: that one must not go when it is scrolled away. */
export function useRows<T>(
  list: RefObject<HTMLElement | null>,
  { lines, keyOf, heightOf }: RowsOptions<T>,
  kept: number,
) {
  // Given anew they make the virtualizer measure all lines anew: at each step of scrolling, were
  // these written where they are used.
  const getItemKey = useCallback(
    (index: number) => {
      const line = lines[index]
      return line === undefined ? index : keyOf(line)
    },
    [lines, keyOf],
  )
  const estimateSize = useCallback(
    (index: number) => {
      const line = lines[index]
      return line === undefined ? 0 : heightOf(line)
    },
    [lines, heightOf],
  )
  const rangeExtractor = useCallback(
    (range: Range) => {
      const shown = defaultRangeExtractor(range)
      return kept >= range.count || shown.includes(kept)
        ? shown
        : [...shown, kept].toSorted((a, b) => a - b)
    },
    [kept],
  )
  // oxlint-disable-next-line react/incompatible-library -- what it returns is read here at each render
  return useWindowVirtualizer({
    count: lines.length,
    overscan: OVERSCAN,
    scrollMargin: useTopOf(list),
    scrollPaddingStart: COVERED.top,
    scrollPaddingEnd: COVERED.bottom,
    estimateSize,
    getItemKey,
    rangeExtractor,
  })
}
