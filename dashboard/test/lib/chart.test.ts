import { describe, expect, it } from 'vitest'

import {
  columnsPath,
  countTicks,
  niceStep,
  stepAt,
  stepLine,
  timeTicks,
  valueTicks,
} from '#/lib/chart'

const at = (text: string): number => new Date(text).getTime()

describe('ticks of values', () => {
  it.each([
    [0.0138, 4, 0.005],
    [9, 3, 5],
    [1, 4, 0.25],
    [100, 4, 25],
  ])('for %f in at most %i steps are %f apart', (highest, most, step) => {
    expect(niceStep(highest, most)).toBeCloseTo(step, 10)
  })

  it('end at or above the highest value', () => {
    expect(valueTicks(9, 3)).toEqual([0, 5, 10])
    expect(valueTicks(10, 2)).toEqual([0, 5, 10])
  })

  it('are there also where all values are zero', () => {
    expect(valueTicks(0, 3)).toEqual([0, 1])
  })
})

describe('ticks of what is counted', () => {
  it.each([
    [10, [0, 5, 10]],
    [40, [0, 10, 20, 30, 40]],
    [100, [0, 25, 50, 75, 100]],
    [3, [0, 1, 2, 3]],
    [1, [0, 1]],
    [7, [0, 2, 4, 6, 8]],
  ])('up to %i are whole numbers', (highest, ticks) => {
    expect(countTicks(highest, 4)).toEqual(ticks)
  })
})

describe('ticks of time', () => {
  it('stand on full hours of the reader', () => {
    const ticks = timeTicks(at('2026-11-21T10:10'), at('2026-11-22T10:10'), 6)
    expect(ticks.length).toBeGreaterThan(3)
    expect(ticks.length).toBeLessThanOrEqual(7)
    expect(ticks.every((tick) => new Date(tick).getMinutes() === 0)).toBe(true)
    expect(ticks.some((tick) => new Date(tick).getHours() === 0)).toBe(true)
  })

  it('stand on midnights where they are days', () => {
    const ticks = timeTicks(at('2026-11-15T10:10'), at('2026-11-22T10:10'), 8)
    expect(ticks).toHaveLength(7)
    expect(ticks.every((tick) => new Date(tick).getHours() === 0)).toBe(true)
  })

  it('lie within the window', () => {
    const [since, until] = [at('2026-11-22T10:07'), at('2026-11-22T11:07')]
    const ticks = timeTicks(since, until, 6)
    expect(ticks[0]).toBe(at('2026-11-22T10:10'))
    expect(ticks.every((tick) => since <= tick && tick <= until)).toBe(true)
  })
})

describe('paths', () => {
  it('draw columns in one', () => {
    expect(columnsPath([{ x: 1, width: 2, from: 10, to: 4 }])).toBe('M1 10H3V4H1Z')
  })

  it('break a line where nothing is known', () => {
    expect(stepLine([5, null, 7, 8], 10)).toBe('M0 5H10M20 7H30V8H40')
  })
})

it('finds the step below a pointer, and the nearest one outside', () => {
  expect(stepAt(-3, 100, 10)).toBe(0)
  expect(stepAt(45, 100, 10)).toBe(4)
  expect(stepAt(100, 100, 10)).toBe(9)
})
