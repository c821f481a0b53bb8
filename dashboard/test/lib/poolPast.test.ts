import { describe, expect, it } from 'vitest'

import { meanWords, poolPastTotals, poolStepParts } from '#/lib/poolPast'

import { aPoolPast, aPoolStep } from '../pool-values'

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
