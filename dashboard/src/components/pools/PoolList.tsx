import { defaultRangeExtractor, type Range, useWindowVirtualizer } from '@tanstack/react-virtual'
import { useCallback, useRef } from 'react'

import type { Pool } from '#/api/types'
import rowClasses from '#/components/overview/Row.module.css'
import { useCurrent, useRoving } from '#/components/overview/useRoving'
import { useTopOf } from '#/components/overview/useTopOf'

import classes from './PoolList.module.css'
import { PoolRow } from './PoolRow'

interface PoolListProps {
  pools: readonly Pool[]
  stale: boolean
  wide: boolean
}

const WIDE = [
  'Standing',
  'Pool',
  'In use',
  'Waiting',
  'Peak',
  'Timeouts',
  'Leaks',
  'What is wrong',
] as const
const NARROW = ['Pool and standing', 'In use', 'Counts', 'Leaks', 'What is wrong'] as const

interface Height {
  /** Of a pool of which there is nothing to say. */
  well: number
  /** What leaks, and what is wrong, take beyond that. */
  leaks: number
  wrong: number
}

const HEIGHT: Record<'wide' | 'narrow', Height> = {
  wide: { well: 52, leaks: 0, wrong: 28 },
  narrow: { well: 80, leaks: 17, wrong: 68 },
}
const OVERSCAN = 6
/** What covers the window above the list, and the room that is left below a line gone to. */
const COVERED = { top: 112, bottom: 16 } as const

const keyOf = ({ id }: Pool): string => String(id)

/** The pools: only those in sight are in the page. A grid, like that of the targets. */
export function PoolList({ pools, stale, wide }: PoolListProps) {
  const list = useRef<HTMLDivElement>(null)
  const shape = wide ? 'wide' : 'narrow'
  const height = HEIGHT[shape]
  const [current, setCurrent] = useCurrent(pools, keyOf)
  const virtualizer = useVirtual(pools, height, useTopOf(list), current.at)
  const roving = useRoving({
    list,
    lines: pools,
    keyOf,
    virtualizer,
    current,
    setCurrent,
    height: height.well + height.wrong,
    inset: COVERED.top + COVERED.bottom,
  })
  return (
    <div role="grid" aria-label="Pools" aria-rowcount={pools.length + 1} className={classes[shape]}>
      <Headings wide={wide} />
      {/* oxlint-disable-next-line jsx-a11y/no-noninteractive-element-interactions -- its links hear the keys */}
      <div
        ref={list}
        role="rowgroup"
        className={classes.list}
        style={{ height: virtualizer.getTotalSize() }}
        {...roving}
      >
        {virtualizer.getVirtualItems().map(({ index, key, size, start }) => {
          const pool = pools[index]
          if (pool === undefined) return null
          return (
            <div
              key={key}
              role="row"
              aria-rowindex={index + 2}
              data-index={index}
              data-key={keyOf(pool)}
              className={rowClasses[wide ? 'row' : 'card']}
              style={{
                height: size,
                transform: `translateY(${start - virtualizer.options.scrollMargin}px)`,
              }}
            >
              <PoolRow pool={pool} stale={stale} wide={wide} stop={index === current.at} />
            </div>
          )
        })}
      </div>
    </div>
  )
}

function Headings({ wide }: { wide: boolean }) {
  return (
    <div role="rowgroup" className={wide ? classes.head : 'visually-hidden'}>
      <div role="row" aria-rowindex={1} className={classes.headings}>
        {(wide ? WIDE : NARROW).map((heading) => (
          <div key={heading} role="columnheader" className={classes.heading}>
            {heading}
          </div>
        ))}
      </div>
    </div>
  )
}

/** The lines in sight, and the one that the tab key comes to: that one must not go when it is scrolled away. */
function useVirtual(
  pools: readonly Pool[],
  { well, leaks, wrong }: Height,
  scrollMargin: number,
  kept: number,
) {
  const getItemKey = useCallback((index: number) => pools[index]?.id ?? index, [pools])
  const estimateSize = useCallback(
    (index: number) => {
      const pool = pools[index]
      const more = (told: readonly unknown[] | undefined, room: number) =>
        told === undefined || told.length === 0 ? 0 : room
      return well + more(pool?.leaks, leaks) + more(pool?.alerts, wrong)
    },
    [pools, well, leaks, wrong],
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
    count: pools.length,
    overscan: OVERSCAN,
    scrollMargin,
    scrollPaddingStart: COVERED.top,
    scrollPaddingEnd: COVERED.bottom,
    estimateSize,
    getItemKey,
    rangeExtractor,
  })
}
