import { describe, expect, it } from 'vitest'

import {
  type Bucket,
  checksWords,
  lasted,
  layers,
  toneOf,
  totals,
  uptimeWords,
} from '#/lib/history'

const at = (minute: number) => ({ at: new Date(minute * 60_000).toISOString() })

const bucket = (changed: Partial<Bucket> = {}): Bucket => ({
  start: '2026-11-22T10:00:00.000000+00:00',
  count: 0,
  failures: 0,
  min: null,
  mean: null,
  max: null,
  p50: null,
  p95: null,
  uptime: null,
  stages: {},
  ...changed,
})

it.each([
  [null, 'none', 'not known'],
  [1, 'up', 'up'],
  [0.99999, 'most', 'mostly up, 99.99 % of the time'],
  [0.5, 'part', 'partly up, 50 % of the time'],
  [0, 'down', 'down'],
] as const)('calls an uptime of %s %s', (share, tone, words) => {
  expect(toneOf(share)).toBe(tone)
  expect(uptimeWords(share)).toBe(words)
})

it('tells how many checks there were and how many of them failed', () => {
  expect(checksWords(bucket())).toBe('no checks')
  expect(checksWords(bucket({ count: 1 }))).toBe('1 check')
  expect(checksWords(bucket({ count: 12, failures: 2 }))).toBe('12 checks, 2 failed')
})

it('weighs means by the checks that passed', () => {
  const found = totals([
    bucket({ count: 4, failures: 1, mean: 1, max: 2 }),
    bucket({ count: 1, mean: 5, max: 5 }),
    bucket({ count: 2, failures: 2 }),
  ])
  expect(found).toEqual({ count: 7, failures: 3, mean: 2, highest: 5 })
})

describe('layers', () => {
  it('stand in the order of the kind, and what no stage accounts for on top', () => {
    const found = layers(
      [bucket({ mean: 10, count: 1, stages: { auth: 3, dns: 1 } }), bucket()],
      ['dns', 'tcp', 'auth'],
    )
    expect(found).toEqual([
      { stage: 'dns', seconds: [1, 0] },
      { stage: 'auth', seconds: [3, 0] },
      { stage: null, seconds: [6, 0] },
    ])
  })

  it('show the whole where the stages have no times of their own', () => {
    expect(layers([bucket({ mean: 2, count: 1 })], ['dns'])).toEqual([
      { stage: null, seconds: [2] },
    ])
  })

  it('have no rest where the stages account for all but noise', () => {
    const found = layers([bucket({ mean: 1, count: 1, stages: { dns: 0.999 } })], ['dns'])
    expect(found.map((each) => each.stage)).toEqual(['dns'])
  })
})

it('tells how long each state lasted, the newest until now', () => {
  expect(lasted([at(10), at(4)], 11 * 60_000)).toEqual([60, 360])
})
