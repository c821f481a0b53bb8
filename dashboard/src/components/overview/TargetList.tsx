import { defaultRangeExtractor, type Range, useWindowVirtualizer } from '@tanstack/react-virtual'
import { type KeyboardEvent, useCallback, useRef, useState } from 'react'
import { flushSync } from 'react-dom'

import type { May } from '#/api/context'
import type { Line } from '#/lib/group'

import { GroupHeading } from './GroupHeading'
import { Row } from './Row'
import rowClasses from './Row.module.css'
import classes from './TargetList.module.css'
import { useTopOf } from './useTopOf'

interface TargetListProps {
  lines: readonly Line[]
  stale: boolean
  may: May
  wide: boolean
  onFold: (group: string) => void
}

const HEADINGS = ['Status', 'Target', 'Trouble', 'Latency', 'Uptime 24 h', 'Checked', 'Actions']
const HEIGHT = { wide: { row: 56, group: 44 }, narrow: { row: 88, group: 48 } } as const
const OVERSCAN = 6

const keyOf = (line: Line | undefined): string => {
  if (line === undefined) return ''
  return line.type === 'row' ? String(line.row.id) : `group ${line.group.name}`
}

/** The targets: only those in sight are in the page, so that 10,000 scroll as ten do. */
export function TargetList({ lines, stale, may, wide, onFold }: TargetListProps) {
  const list = useRef<HTMLDivElement>(null)
  const { virtualizer, focused, setFocused } = useVirtual(lines, wide, useTopOf(list))
  const onKeyDown = (event: KeyboardEvent) => {
    const step = stepOf(event)
    if (step === 0 || focused === null) return
    const index = lines.findIndex((line) => keyOf(line) === focused) + step
    const line = lines[index]
    if (line === undefined) return
    event.preventDefault()
    flushSync(() => setFocused(keyOf(line)))
    virtualizer.scrollToIndex(index)
    const next = list.current?.querySelector<HTMLElement>(`[data-index="${index}"]`)
    next?.querySelector<HTMLElement>('a, button')?.focus({ preventScroll: true })
  }
  return (
    <div
      role="table"
      aria-label="Targets"
      aria-rowcount={lines.length + 1}
      className={wide ? classes.wide : classes.narrow}
    >
      <Headings wide={wide} />
      {/* oxlint-disable-next-line jsx-a11y/no-noninteractive-element-interactions -- its links hear the keys */}
      <div
        ref={list}
        role="rowgroup"
        className={classes.list}
        style={{ height: virtualizer.getTotalSize() }}
        onKeyDown={onKeyDown}
        onFocus={(event) => setFocused(keyFrom(event.target))}
        onBlur={(event) => {
          if (!event.currentTarget.contains(event.relatedTarget)) setFocused(null)
        }}
      >
        {virtualizer.getVirtualItems().map(({ index, key, size, start }) => {
          const line = lines[index]
          if (line === undefined) return null
          return (
            <div
              key={key}
              role="row"
              aria-rowindex={index + 2}
              data-index={index}
              data-key={keyOf(line)}
              data-stale={stale}
              data-paused={line.type === 'row' && !line.row.enabled}
              className={wide || line.type === 'group' ? rowClasses.row : rowClasses.card}
              style={{
                height: size,
                transform: `translateY(${start - virtualizer.options.scrollMargin}px)`,
              }}
            >
              {line.type === 'row' ? (
                <Row row={line.row} stale={stale} may={may} wide={wide} />
              ) : (
                <GroupHeading
                  group={line.group}
                  folded={line.folded}
                  stale={stale}
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

function Headings({ wide }: { wide: boolean }) {
  return (
    <div role="rowgroup" className={wide ? classes.head : 'visually-hidden'}>
      <div role="row" aria-rowindex={1} className={classes.headings}>
        {HEADINGS.map((heading) => (
          <div key={heading} role="columnheader" className={classes.heading}>
            {heading === 'Actions' ? <span className="visually-hidden">Actions</span> : heading}
          </div>
        ))}
      </div>
    </div>
  )
}

/** The lines in sight, and the one that has the focus: that one must not go when it is scrolled away. */
function useVirtual(lines: readonly Line[], wide: boolean, scrollMargin: number) {
  const [focused, setFocused] = useState<string | null>(null)
  const height = HEIGHT[wide ? 'wide' : 'narrow']
  // Given anew they make the virtualizer measure all lines anew: at each step of scrolling, were
  // these written where they are used.
  const getItemKey = useCallback((index: number) => keyOf(lines[index]), [lines])
  const estimateSize = useCallback(
    (index: number) => height[lines[index]?.type ?? 'row'],
    [lines, height],
  )
  const rangeExtractor = useCallback(
    (range: Range) => {
      const shown = defaultRangeExtractor(range)
      const index = focused === null ? -1 : lines.findIndex((line) => keyOf(line) === focused)
      return index < 0 || shown.includes(index)
        ? shown
        : [...shown, index].toSorted((a, b) => a - b)
    },
    [lines, focused],
  )
  // oxlint-disable-next-line react/incompatible-library -- what it returns is read here at each render
  const virtualizer = useWindowVirtualizer({
    count: lines.length,
    overscan: OVERSCAN,
    scrollMargin,
    scrollPaddingStart: 112,
    scrollPaddingEnd: 16,
    estimateSize,
    getItemKey,
    rangeExtractor,
  })
  return { virtualizer, focused, setFocused }
}

function stepOf(event: KeyboardEvent): -1 | 0 | 1 {
  if (event.ctrlKey || event.metaKey || event.altKey) return 0
  if (event.key === 'ArrowDown' || event.key === 'j') return 1
  return event.key === 'ArrowUp' || event.key === 'k' ? -1 : 0
}

const keyFrom = (inside: Element): string | null =>
  inside.closest<HTMLElement>('[data-key]')?.dataset['key'] ?? null
