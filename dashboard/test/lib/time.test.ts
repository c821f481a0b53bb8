import { describe, expect, it } from 'vitest'

import { ago, clockTime, dayAndTime, duration, span, timeOnDay } from '#/lib/time'

const NOW = Date.parse('2026-01-02T03:04:05Z')
const before = (seconds: number) => new Date(NOW - seconds * 1000).toISOString()

describe('ago', () => {
  it.each([
    [0, '0 s ago'],
    [12.9, '12 s ago'],
    [59, '59 s ago'],
    [60, '1 min ago'],
    [3599, '59 min ago'],
    [3600, '1 h ago'],
    [47 * 3600, '47 h ago'],
    [48 * 3600, '2 d ago'],
    [-1, '0 s ago'],
    [-30, 'in 30 s'],
    [-90, 'in 1 min'],
  ])('%s s before now is "%s"', (seconds, words) => {
    expect(ago(before(seconds), NOW)).toBe(words)
  })
})

describe('duration', () => {
  it.each([
    [0, '0 s'],
    [59.9, '59 s'],
    [60, '1 min'],
    [185, '3 min 5 s'],
    [7800, '2 h 10 min'],
    [86_400, '1 d'],
    [4 * 86_400 + 3 * 3600 + 59, '4 d 3 h'],
    [-5, '0 s'],
  ])('%s s is "%s"', (seconds, words) => {
    expect(duration(seconds)).toBe(words)
  })
})

describe('span', () => {
  it('has its largest unit alone', () => {
    expect([5, 65, 3700, 200_000].map(span)).toEqual(['5 s', '1 min', '1 h', '2 d'])
  })
})

describe('an instant of a day in UTC', () => {
  it('is told with its date only where that is another one for the reader', () => {
    const noon = new Date(2026, 0, 2, 12).toISOString()
    expect(timeOnDay(noon, '2026-01-02')).toBe(clockTime(noon))
    expect(timeOnDay(noon, '2026-01-01')).toBe(dayAndTime(noon))
  })
})
