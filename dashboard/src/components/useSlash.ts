import { useWindowEvent } from '@mantine/hooks'
import type { RefObject } from 'react'

const isEditable = (target: EventTarget | null): boolean =>
  target instanceof HTMLElement &&
  (target.isContentEditable || ['INPUT', 'TEXTAREA', 'SELECT'].includes(target.tagName))

/** Let "/" lead to the search, from wherever nothing is typed. */
export function useSlash(search: RefObject<HTMLInputElement | null>): void {
  // By what the key writes and not by where it lies: "/" needs shift on many keyboards.
  useWindowEvent('keydown', (event) => {
    if (event.key !== '/' || event.ctrlKey || event.metaKey || event.altKey) return
    if (isEditable(event.target) || document.querySelector('[role="dialog"]') !== null) return
    event.preventDefault()
    search.current?.focus()
    search.current?.select()
  })
}
