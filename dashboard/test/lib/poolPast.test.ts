import { describe, expect, it } from 'vitest'

import { meanWords, poolPastTotals, poolStepParts, sumWords } from '#/lib/poolPast'

import { aPool, aPoolPast, aPoolStep } from '../pool-values'

describe('a step of a pool’s past', () => {
  it('tells mean, most and limit, who waited, timeouts and processes', () => {
    const past = aPoolPast([aPoolStep(0, { used: 5.25, used_max: 9, waiting: 2, timeouts: 1 })])
    expect(poolStepParts(past, 0).slice(1)).toEqual([
      '5.3 in use',
      'at most 9 of 10',
      '2 waited',
      '1 timeout',
      '2 processes',
    ])
  })

  it('says that nothing was reported, and of no limit nothing', () => {
    const silent = { used: null, used_max: null, limit: null, waiting: null, instances: null }
    const past = aPoolPast([aPoolStep(0, silent), aPoolStep(1, { limit: null })])
    expect(poolStepParts(past, 0).slice(1)).toEqual(['not reported'])
    expect(poolStepParts(past, 1)).toContain('at most 4')
    expect(poolStepParts(past, 7)).toEqual([])
  })

  it('tells no processes of several pools, each of which counts its own', () => {
    const past = aPoolPast([aPoolStep(0)])
    expect(poolStepParts(past, 0, true).slice(1)).toEqual([
      '3.5 in use',
      'at most 4 of 10',
      'none waited',
    ])
  })

  it('rounds a mean to what can be told of it', () => {
    expect([0, 2, 5.25, 123.4].map(meanWords)).toEqual(['0', '2', '5.3', '123'])
  })
})

describe('a window of a pool’s past', () => {
  it('has the highest of what was at once, and the sum of what happened', () => {
    const steps = [aPoolStep(0), aPoolStep(1, { used_max: 8, waiting: 3, timeouts: 2, errors: 1 })]
    expect(poolPastTotals(steps)).toEqual({
      peak: 8,
      waiting: 3,
      taken: 100,
      timeouts: 2,
      errors: 1,
    })
  })

  it('knows no highest where nothing was reported', () => {
    const step = aPoolStep(0, { used_max: null, waiting: null })
    expect(poolPastTotals([step])).toMatchObject({ peak: null, waiting: null })
  })
})

describe('what is said of pools added up', () => {
  const named = (name: string, limit: number | null, instances = 1) =>
    aPool({ name, totals: { limit, instances } })
  const none = [aPoolStep(0), aPoolStep(1, { limit: null })]
  const added = '“At most” adds up the most of each pool, whenever in the step that was.'

  it('is what "at most" means, and nothing of a single one', () => {
    const idle = aPoolStep(1, { limit: null, instances: null })
    expect(sumWords([aPoolStep(0), idle], [named('main', 10), named('jobs', 5)])).toBe(added)
    expect(sumWords([aPoolStep(0)], [named('main', 10)])).toBe('')
  })

  it('is why there is no limit, with the pools that have none now', () => {
    const pools = [named('main', 10), named('cache', null), named('gone', null, 0)]
    expect(sumWords(none, pools)).toBe(
      `No limit is drawn where one of the pools has none (now cache). ${added}`,
    )
    expect(sumWords(none, [named('main', 10)])).toBe(
      'No limit is drawn where one of the pools has none.',
    )
  })

  it('names but a few of them', () => {
    const pools = ['a', 'b', 'c', 'd', 'e'].map((name) => named(name, null))
    expect(sumWords(none, pools)).toContain('none (now a, b, c, 2 more).')
  })
})
