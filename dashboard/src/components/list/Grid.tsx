import { type ReactNode, useRef } from 'react'

import classes from './Grid.module.css'
import { COVERED, type RowsOptions, useRows } from './useRows'
import { useCurrent, useRoving } from './useRoving'

/** What a row is besides its cells: its look, and what that depends on. */
export interface RowLook {
  className: string | undefined
  'data-stale'?: boolean
  'data-paused'?: boolean
}

interface GridProps<T> extends RowsOptions<T> {
  label: string
  headings: readonly string[]
  /** Those that are said and not shown. */
  silent?: string
  wide: boolean
  /** Has the widths of the columns. */
  className: string | undefined
  /** Pixels of a row, as far as a window full of them is concerned. */
  page: number
  lookOf: (line: T) => RowLook
  /** Draws a line's cells; `stop`: whether the tab key comes to it. */
  children: (line: T, stop: boolean) => ReactNode
}

/**
 * Rows of which only those in sight are in the page, so that 10,000 scroll as ten do. A grid, which tells
 * screen readers to leave the arrow keys to it.
 */
export function Grid<T>(props: GridProps<T>) {
  const { label, headings, silent, wide, className, page, lines, keyOf, lookOf, children } = props
  const list = useRef<HTMLDivElement>(null)
  const [current, setCurrent] = useCurrent(lines, keyOf)
  const virtualizer = useRows(list, props, current.at)
  const inset = COVERED.top + COVERED.bottom
  const rows = { list, lines, keyOf, virtualizer, current, setCurrent, height: page, inset }
  return (
    <div role="grid" aria-label={label} aria-rowcount={lines.length + 1} className={className}>
      <Headings wide={wide} headings={headings} silent={silent} />
      {/* oxlint-disable-next-line jsx-a11y/no-noninteractive-element-interactions -- its links hear the keys */}
      <div
        ref={list}
        role="rowgroup"
        className={classes.list}
        style={{ height: virtualizer.getTotalSize() }}
        {...useRoving(rows)}
      >
        {virtualizer.getVirtualItems().map(({ index, key, size, start }) => {
          const line = lines[index]
          if (line === undefined) return null
          const transform = `translateY(${start - virtualizer.options.scrollMargin}px)`
          return (
            <div
              key={key}
              role="row"
              aria-rowindex={index + 2}
              data-index={index}
              data-key={keyOf(line)}
              {...lookOf(line)}
              style={{ height: size, transform }}
            >
              {children(line, index === current.at)}
            </div>
          )
        })}
      </div>
    </div>
  )
}

type HeadingsProps = Pick<GridProps<unknown>, 'headings' | 'wide'> & { silent: string | undefined }

function Headings({ wide, headings, silent }: HeadingsProps) {
  return (
    <div role="rowgroup" className={wide ? classes.head : 'visually-hidden'}>
      <div role="row" aria-rowindex={1} className={classes.headings}>
        {headings.map((heading) => (
          <div key={heading} role="columnheader" className={classes.heading}>
            {heading === silent ? <span className="visually-hidden">{heading}</span> : heading}
          </div>
        ))}
      </div>
    </div>
  )
}
