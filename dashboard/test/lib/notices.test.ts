import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'

import type { OverviewRow, Shown } from '#/api/types'
import {
  GATHER,
  type Memory,
  merged,
  News,
  type Notice,
  notice,
  noticed,
  PACE,
  titleLead,
} from '#/lib/notices'

import { aRowOf } from '../values'

const row = (id: number, status: Exclude<Shown, 'paused'>, enabled = true): OverviewRow =>
  aRowOf(id, { status, enabled })

const changes = (...states: OverviewRow[][]) => {
  const memory: Memory = new Map()
  return states
    .slice(1)
    .map((after, at) => noticed(states[at] ?? [], after, memory).map((each) => each.what))
}

describe('what is noticed', () => {
  it('is a loss and a return', () => {
    expect(changes([row(1, 'up')], [row(1, 'down')], [row(1, 'up')])).toEqual([
      ['lost'],
      ['restored'],
    ])
  })

  it('is not what was so already, nor a target that is new', () => {
    expect(changes([row(1, 'down')], [row(1, 'down'), row(2, 'down')])).toEqual([[]])
  })

  it('is the return of one that came down already, though not its coming', () => {
    expect(changes([], [row(1, 'down')], [row(1, 'up')])).toEqual([[], ['restored']])
  })

  it('is not that the first check of a new one fails', () => {
    expect(changes([], [row(1, 'unknown')], [row(1, 'down')], [row(1, 'up')])).toEqual([
      [],
      [],
      ['restored'],
    ])
  })

  it('is not how one turns out that was unknown when the page was opened', () => {
    const begun = [row(1, 'unknown'), row(2, 'unknown')]
    const found = [row(1, 'down'), row(2, 'up')]
    expect(changes(begun, found, [row(1, 'up'), row(2, 'down')])).toEqual([
      [],
      ['restored', 'lost'],
    ])
  })

  it('is not that nothing is known, and the return after it is one return', () => {
    const states = [[row(1, 'down')], [row(1, 'unknown')], [row(1, 'up')], [row(1, 'up')]]
    expect(changes(...states)).toEqual([[], ['restored'], []])
  })

  it('is not that a loss is seen again after nothing was known', () => {
    expect(
      changes([row(1, 'up')], [row(1, 'down')], [row(1, 'unknown')], [row(1, 'down')]),
    ).toEqual([['lost'], [], []])
  })

  it.each(['up', 'down'] as const)('is neither pausing nor resuming one that is %s', (status) => {
    const paused = row(1, 'unknown', false)
    expect(changes([row(1, status)], [paused], [row(1, 'unknown')], [row(1, 'down')])).toEqual([
      [],
      [],
      [],
    ])
  })

  it('is nothing where a loss and its return fall into one group', () => {
    const lost = { id: 1, name: 'a', what: 'lost', status: 'down', detail: null } as const
    const back = { ...lost, what: 'restored', status: 'up' } as const
    expect(merged([lost], [back])).toEqual([])
    expect(merged([lost], [{ ...back, id: 2 }])).toHaveLength(2)
  })
})

const lost = (id: number) =>
  ({ id, name: `t${id}`, what: 'lost', status: 'down', detail: 'auth: no' }) as const
const back = (id: number, status: 'up' | 'degraded' = 'up') =>
  ({ id, name: `t${id}`, what: 'restored', status, detail: null }) as const

describe('the words', () => {
  it('name one target with its stage and message, and lead to it', () => {
    expect(notice([lost(7)], false)).toEqual({
      tone: 'lost',
      title: 't7 went down',
      text: 'auth: no',
      target: 7,
    })
  })

  it('count several, naming the first', () => {
    const group = [1, 2, 3, 4, 5].map(lost)
    expect(notice(group, false)).toMatchObject({
      title: '5 targets went down',
      text: 't1, t2, t3 and 2 more',
      target: null,
    })
  })

  it('say both what was lost and what is back, and that nobody was listening', () => {
    expect(notice([lost(1), back(2, 'degraded')], true)?.title).toBe(
      'Meanwhile: t1 went down, t2 is back, degraded',
    )
    expect(notice([back(2)], false)?.tone).toBe('restored')
    expect(notice([], false)).toBeNull()
  })
})

describe('the name of the tab', () => {
  const counts = { up: 4, degraded: 2, down: 3, unknown: 1, paused: 0 }

  it.each([
    [counts, true, '(3 down)'],
    [{ ...counts, down: 0 }, true, '(2 degraded)'],
    [{ ...counts, down: 0, degraded: 0 }, true, ''],
    [counts, false, '(not live)'],
    [null, true, ''],
  ])('%j, live %s: %s', (given, live, title) => {
    expect(titleLead(given, live)).toBe(title)
  })
})

describe('the news', () => {
  let told: [string, 'page' | 'desktop'][] = []
  let hidden = false
  const fresh = () =>
    new News(
      (words: Notice, where) => told.push([words.title, where]),
      () => hidden,
    )

  beforeEach(() => {
    told = []
    hidden = false
    vi.useFakeTimers()
  })
  afterEach(() => {
    vi.useRealTimers()
  })

  it('say nothing of what was so when the page was opened', () => {
    const news = fresh()
    news.hear([row(1, 'down')])
    vi.advanceTimersByTime(PACE)
    expect(told).toEqual([])
  })

  it('gather a burst, and come at most once in a while', () => {
    const news = fresh()
    news.hear([row(1, 'up'), row(2, 'up'), row(3, 'up')])
    news.hear([row(1, 'down'), row(2, 'up'), row(3, 'up')])
    news.hear([row(1, 'down'), row(2, 'down'), row(3, 'up')])
    vi.advanceTimersByTime(GATHER)
    news.hear([row(1, 'down'), row(2, 'down'), row(3, 'down')])
    vi.advanceTimersByTime(PACE - 1)
    expect(told).toEqual([['2 targets went down', 'page']])
    vi.advanceTimersByTime(1)
    expect(told.at(-1)).toEqual(['3 targets went down', 'page'])
  })

  it('say once what changed while the stream was broken', () => {
    const news = fresh()
    news.hear([row(1, 'up'), row(2, 'down')])
    news.broke()
    news.hear([row(1, 'down'), row(2, 'up')])
    vi.advanceTimersByTime(PACE)
    news.hear([row(1, 'up'), row(2, 'up')])
    vi.advanceTimersByTime(PACE)
    expect(told).toEqual([
      ['Meanwhile: t1 went down, t2 is back up', 'page'],
      ['2 targets are back', 'page'],
    ])
  })

  it('add to what still stands on the page, until it is gone', () => {
    const news = fresh()
    news.hear([row(1, 'up'), row(2, 'up'), row(3, 'up')])
    news.hear([row(1, 'down'), row(2, 'down'), row(3, 'up')])
    vi.advanceTimersByTime(PACE)
    news.hear([row(1, 'up'), row(2, 'down'), row(3, 'up')])
    vi.advanceTimersByTime(PACE)
    news.gone()
    news.hear([row(1, 'up'), row(2, 'down'), row(3, 'down')])
    vi.advanceTimersByTime(PACE)
    expect(told.map(([title]) => title)).toEqual([
      '2 targets went down',
      't2 went down, t1 is back up',
      't3 went down',
    ])
  })

  it('go to the desktop while nobody looks, and stand on the page once somebody does', () => {
    const news = fresh()
    news.hear([row(1, 'up'), row(2, 'up'), row(3, 'up')])
    news.hear([row(1, 'up'), row(2, 'up'), row(3, 'down')])
    vi.advanceTimersByTime(PACE)
    hidden = true
    news.hear([row(1, 'down'), row(2, 'up'), row(3, 'down')])
    vi.advanceTimersByTime(PACE)
    news.hear([row(1, 'down'), row(2, 'down'), row(3, 'down')])
    vi.advanceTimersByTime(PACE)
    hidden = false
    news.seen()
    news.seen()
    expect(told).toEqual([
      ['t3 went down', 'page'],
      ['t1 went down', 'desktop'],
      ['t2 went down', 'desktop'],
      ['Meanwhile: 2 targets went down', 'page'],
    ])
  })

  it('end with the page', () => {
    const news = fresh()
    news.hear([row(1, 'up')])
    news.hear([row(1, 'down')])
    news.close()
    vi.advanceTimersByTime(PACE)
    expect(told).toEqual([])
  })
})
