import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'

import { Clock } from '#/lib/clock'

const AT = Date.parse('2026-01-02T03:04:05Z')
const later = (ms: number) => new Date(AT + ms).toISOString()

beforeEach(() => void vi.useFakeTimers({ now: AT }))
afterEach(() => void vi.useRealTimers())

describe('the clock', () => {
  it('shows the server’s time, however wrong this machine’s is', () => {
    const clock = new Clock()
    clock.heed(later(600_000))
    expect(clock.now()).toBe(AT + 600_000)
    expect(clock.read()).toBe(AT + 600_000)
  })

  it('lets a whole second of a header move it only where it is far off', () => {
    const clock = new Clock()
    clock.heed(later(300))
    clock.heed(later(0), true)
    expect(clock.now()).toBe(AT + 300)
    clock.heed(later(10_000), true)
    expect(clock.now()).toBe(AT + 10_500)
  })

  it('heeds nothing that is no time', () => {
    const clock = new Clock()
    clock.heed(null)
    clock.heed('yesterday')
    expect(clock.now()).toBe(AT)
  })

  it('ticks for all by one timer, and rests when nobody looks', () => {
    const clock = new Clock()
    const seen: number[] = []
    const forget = [1, 2].map(() => clock.subscribe(() => seen.push(clock.read() - AT)))
    expect(vi.getTimerCount()).toBe(1)
    vi.advanceTimersByTime(2000)
    expect(seen).toEqual([1000, 1000, 2000, 2000])
    for (const each of forget) each()
    expect(vi.getTimerCount()).toBe(0)
  })

  it('reads the same between two ticks, and afresh where it rested', () => {
    const clock = new Clock()
    const first = clock.read()
    vi.setSystemTime(AT + 500)
    expect(clock.read()).toBe(first)
    vi.setSystemTime(AT + 5000)
    expect(clock.read()).toBe(AT + 5000)
  })
})
