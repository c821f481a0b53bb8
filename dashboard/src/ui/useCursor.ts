import { type KeyboardEvent, type PointerEvent, useRef } from 'react'

import { stepAt } from '#/lib/chart'

import classes from './useCursor.module.css'

/** Which step of a chart is looked at, by pointer or key; null: none. */
export interface Cursor {
  at: number | null
  move: (at: number | null) => void
}

interface CursorOptions extends Cursor {
  count: number
  /** Pixels left of the first step. */
  inset?: number
  /** What is told of a step: its time and values. */
  words: (at: number) => string
  label: string
}

const PAGE = 10

/** Makes an element a slider over the steps of a chart: screen readers then say the words of each. */
export function useCursor({ at, move, count, inset = 0, words, label }: CursorOptions) {
  const byKey = useRef(false)
  const now = at ?? count - 1
  const to = (next: number) => {
    byKey.current = true
    move(Math.min(count - 1, Math.max(0, next)))
  }
  const point = (event: PointerEvent<HTMLElement>) => {
    const box = event.currentTarget.getBoundingClientRect()
    byKey.current = false
    move(stepAt(event.clientX - box.left - inset, box.width - inset, count))
  }
  return {
    className: classes.slider,
    role: 'slider',
    tabIndex: 0,
    'aria-label': label,
    'aria-readonly': true,
    'aria-valuemin': 0,
    'aria-valuemax': Math.max(0, count - 1),
    'aria-valuenow': now,
    'aria-valuetext': count > 0 ? words(now) : 'nothing',
    onPointerDown: point,
    onPointerMove: point,
    // A finger leaves the glass when it is lifted, and wants to go on reading.
    onPointerLeave: (event: PointerEvent<HTMLElement>) => {
      if (event.pointerType !== 'touch' && !byKey.current) move(null)
    },
    onFocus: (event: { currentTarget: HTMLElement }) => {
      if (event.currentTarget.matches(':focus-visible')) to(now)
    },
    onBlur: () => move(null),
    onKeyDown: (event: KeyboardEvent<HTMLElement>) => {
      const next = step(event.key, now, count)
      if (next === undefined) return
      event.preventDefault()
      if (next === null) move(null)
      else to(next)
    },
  } as const
}

/** Where a key leads; null: nowhere any more; undefined: it is not for us. */
function step(key: string, at: number, count: number): number | null | undefined {
  const keys: Readonly<Record<string, number | null>> = {
    ArrowLeft: at - 1,
    ArrowDown: at - 1,
    ArrowRight: at + 1,
    ArrowUp: at + 1,
    PageDown: at - PAGE,
    PageUp: at + PAGE,
    Home: 0,
    End: count - 1,
    Escape: null,
  }
  return Object.hasOwn(keys, key) ? keys[key] : undefined
}
