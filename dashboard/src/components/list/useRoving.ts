import type { Virtualizer } from '@tanstack/react-virtual'
import {
  type FocusEvent,
  type KeyboardEvent,
  type RefObject,
  useLayoutEffect,
  useRef,
  useState,
} from 'react'
import { flushSync } from 'react-dom'

import { type Current, FIRST, locate } from '#/lib/group'

/** The line that the tab key comes to; it follows its target when the list is sorted anew. */
export function useCurrent<T>(lines: readonly T[], keyOf: (line: T) => string) {
  const [stored, setCurrent] = useState<Current>(FIRST)
  const current = locate(lines, stored, keyOf)
  if (current !== stored) setCurrent(current)
  return [current, setCurrent] as const
}

interface RovingOptions<T> {
  list: RefObject<HTMLElement | null>
  lines: readonly T[]
  keyOf: (line: T) => string
  virtualizer: Virtualizer<Window, Element>
  current: Current
  setCurrent: (current: Current) => void
  /** Pixels that a line has, and how many of the window are not the list's. */
  height: number
  inset: number
}

/**
 * Makes the list one stop of the tab key: arrows go from line to line, and the tab key on through what
 * can be done with a line and out of the list.
 */
export function useRoving<T>(options: RovingOptions<T>) {
  const { list, lines, keyOf, virtualizer, current, setCurrent, height, inset } = options
  const within = useRef(false)
  useKept(options, within)
  const go = (to: number) => {
    const line = lines[to]
    if (line === undefined) return
    flushSync(() => setCurrent({ key: keyOf(line), at: to }))
    virtualizer.scrollToIndex(to)
    focusLine(list.current, to)
  }
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.shiftKey) return
    const page = Math.max(1, Math.floor((window.innerHeight - inset) / height) - 1)
    const to = destination(event.key, current.at, lines.length, page)
    if (to !== undefined) go(to)
    else if (!sideways(event.key, list.current, current.at)) return
    event.preventDefault()
  }
  return {
    onKeyDown,
    onFocus: ({ target }: FocusEvent) => {
      within.current = true
      const { key, index } = target.closest<HTMLElement>('[data-key]')?.dataset ?? {}
      if (key !== undefined) setCurrent({ key, at: Number(index) })
    },
    onBlur: ({ currentTarget, relatedTarget }: FocusEvent) => {
      within.current = currentTarget.contains(relatedTarget)
    },
  }
}

/** Keeps the focus in the list when its target goes, and in sight when it is sorted to elsewhere. */
function useKept(
  { list, virtualizer, current }: Omit<RovingOptions<unknown>, 'lines' | 'keyOf'>,
  within: RefObject<boolean>,
) {
  const before = useRef<Current & { start: number }>({ ...FIRST, start: 0 })
  useLayoutEffect(() => {
    const { key, at, start } = before.current
    before.current = { ...current, start: virtualizer.measurementsCache[current.at]?.start ?? 0 }
    if (!within.current || list.current === null) return
    const active = document.activeElement
    if (!list.current.contains(active)) {
      focusLine(list.current, current.at)
    } else if (key === current.key && at !== current.at && isSeen(virtualizer, start)) {
      // Whoever came by mouse looks at a place, whoever came by keys at a target.
      if (active?.matches(':focus-visible') === true) virtualizer.scrollToIndex(current.at)
    }
  }, [list, virtualizer, current, within])
}

const isSeen = ({ scrollOffset }: Virtualizer<Window, Element>, start: number): boolean =>
  scrollOffset !== null && start >= scrollOffset && start < scrollOffset + window.innerHeight

const controls = (list: HTMLElement | null, at: number): HTMLElement[] => [
  ...(list?.querySelectorAll<HTMLElement>(`[data-index="${at}"] :is(a, button)`) ?? []),
]

/** The name of a target or of a group comes first on its line. */
const focusLine = (list: HTMLElement | null, at: number) =>
  controls(list, at)
    .find((control) => control.tabIndex === 0)
    ?.focus({ preventScroll: true })

/** Which line a key leads to; undefined: it is no key for that. */
function destination(key: string, at: number, count: number, page: number): number | undefined {
  const steps: Readonly<Record<string, number>> = {
    ArrowDown: 1,
    j: 1,
    ArrowUp: -1,
    k: -1,
    PageDown: page,
    PageUp: -page,
    Home: -count,
    End: count,
  }
  const step = Object.hasOwn(steps, key) ? steps[key] : undefined
  return step === undefined ? undefined : Math.min(count - 1, Math.max(0, at + step))
}

/** From one control of a line to the next; whether the key is one for that. */
function sideways(key: string, list: HTMLElement | null, at: number): boolean {
  if (key !== 'ArrowLeft' && key !== 'ArrowRight') return false
  const all = controls(list, at)
  const here = all.findIndex((control) => control === document.activeElement)
  all[here + (key === 'ArrowRight' ? 1 : -1)]?.focus()
  return true
}
