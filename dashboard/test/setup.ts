import '@testing-library/jest-dom/vitest'
import { notifications } from '@mantine/notifications'
import { act, cleanup } from '@testing-library/react'
import { afterEach, vi } from 'vitest'

// The files of a worker share one window, and each module's state: nothing of a test stays in them.
afterEach(() => {
  act(() => notifications.clean())
  cleanup()
  vi.useRealTimers()
  vi.restoreAllMocks()
  vi.unstubAllGlobals()
  localStorage.clear()
  sessionStorage.clear()
  document.title = ''
})

// What jsdom lacks and Mantine asks for.
window.matchMedia = (query) =>
  ({
    matches: false,
    media: query,
    onchange: null,
    addEventListener: () => undefined,
    removeEventListener: () => undefined,
    addListener: () => undefined,
    removeListener: () => undefined,
    dispatchEvent: () => false,
  }) satisfies MediaQueryList
Object.defineProperty(document, 'fonts', { value: new EventTarget(), configurable: true })
window.ResizeObserver = class {
  observe() {}
  unobserve() {}
  disconnect() {}
}
