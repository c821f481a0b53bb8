import { defaultRangeExtractor, type Range, useWindowVirtualizer } from '@tanstack/react-virtual'
import { useCallback, useRef } from 'react'

import type { May } from '#/api/context'
import { keyOf, type Line } from '#/lib/group'

import { GroupHeading } from './GroupHeading'
import { Row } from './Row'
import rowClasses from './Row.module.css'
import classes from './TargetList.module.css'
import { useCurrent, useRoving } from './useRoving'
import { useTopOf } from './useTopOf'

interface TargetListProps {
  lines: readonly Line[]
  stale: boolean
  may: May
  wide: boolean
  onFold: (group: string) => void
}

const WIDE = ['Status', 'Target', 'Trouble', 'Latency', 'Uptime 24 h', 'Checked']
const NARROW = ['Target and status', 'Trouble']

/** What stands in the list; whoever may do nothing with a target has no place for that. */
function headingsOf(wide: boolean, acts: boolean): readonly string[] {
  if (wide) return acts ? [...WIDE, 'Actions'] : WIDE
  return [...NARROW, acts ? 'Last check and actions' : 'Last check']
}

const HEIGHT = { wide: { row: 56, group: 44 }, narrow: { row: 88, group: 48 } } as const
const OVERSCAN = 6
/** What covers the window above the list, and the room that is left below a line gone to. */
const COVERED = { top: 112, bottom: 16 } as const

/**
 * The targets: only those in sight are in the page, so that 10,000 scroll as ten do. A grid, which tells
 * screen readers to leave the arrow keys to it.
 */
export function TargetList({ lines, stale, may, wide, onFold }: TargetListProps) {
  const list = useRef<HTMLDivElement>(null)
  const shape = wide ? 'wide' : 'narrow'
  const acts = may.test || may.edit
  const headings = headingsOf(wide, acts)
  const [current, setCurrent] = useCurrent(lines, keyOf)
  const virtualizer = useVirtual(lines, HEIGHT[shape], useTopOf(list), current.at)
  const roving = useRoving({
    list,
    lines,
    keyOf,
    virtualizer,
    current,
    setCurrent,
    height: HEIGHT[shape].row,
    inset: COVERED.top + COVERED.bottom,
  })
  return (
    <div
      role="grid"
      aria-label="Targets"
      aria-rowcount={lines.length + 1}
      className={classes[shape]}
      data-actions={acts}
    >
      <Headings wide={wide} headings={headings} />
      {/* oxlint-disable-next-line jsx-a11y/no-noninteractive-element-interactions -- its links hear the keys */}
      <div
        ref={list}
        role="rowgroup"
        className={classes.list}
        style={{ height: virtualizer.getTotalSize() }}
        {...roving}
      >
        {virtualizer.getVirtualItems().map(({ index, key, size, start }) => {
          const line = lines[index]
          if (line === undefined) return null
          const stop = index === current.at
          return (
            <div
              key={key}
              role="row"
              aria-rowindex={index + 2}
              data-index={index}
              data-key={keyOf(line)}
              data-stale={stale}
              data-paused={line.type === 'row' && !line.row.enabled}
              className={
                line.type === 'group' ? rowClasses.heading : rowClasses[wide ? 'row' : 'card']
              }
              style={{
                height: size,
                transform: `translateY(${start - virtualizer.options.scrollMargin}px)`,
              }}
            >
              {line.type === 'row' ? (
                <Row row={line.row} stale={stale} may={may} wide={wide} stop={stop} />
              ) : (
                <GroupHeading
                  group={line.group}
                  folded={line.folded}
                  stale={stale}
                  columns={headings.length}
                  stop={stop}
                  onFold={onFold}
                />
              )}
            </div>
          )
        })}
      </div>
    </div>
  )
}

function Headings({ wide, headings }: { wide: boolean; headings: readonly string[] }) {
  return (
    <div role="rowgroup" className={wide ? classes.head : 'visually-hidden'}>
      <div role="row" aria-rowindex={1} className={classes.headings}>
        {headings.map((heading) => (
          <div key={heading} role="columnheader" className={classes.heading}>
            {heading === 'Actions' ? <span className="visually-hidden">Actions</span> : heading}
          </div>
        ))}
      </div>
    </div>
  )
}

/** The lines in sight, and the one that the tab key comes to: that one must not go when it is scrolled away. */
function useVirtual(
  lines: readonly Line[],
  height: Readonly<Record<Line['type'], number>>,
  scrollMargin: number,
  kept: number,
) {
  // Given anew they make the virtualizer measure all lines anew: at each step of scrolling, were
  // these written where they are used.
  const getItemKey = useCallback(
    (index: number) => {
      const line = lines[index]
      return line === undefined ? index : keyOf(line)
    },
    [lines],
  )
  const estimateSize = useCallback(
    (index: number) => height[lines[index]?.type ?? 'row'],
    [lines, height],
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
    scrollMargin,
    scrollPaddingStart: COVERED.top,
    scrollPaddingEnd: COVERED.bottom,
    estimateSize,
    getItemKey,
    rangeExtractor,
  })
}
