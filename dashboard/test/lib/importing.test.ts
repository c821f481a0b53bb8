import { describe, expect, it } from 'vitest'

import type { Found } from '#/api/types'
import {
  aFewAtOnce,
  obstacle,
  pickedOf,
  type Row,
  type Step,
  stepped,
  tallyOf,
  works,
} from '#/lib/importing'

import { aResult } from '../values'

const found = (name: string, more: Partial<Found> = {}): Found => ({
  name,
  kind: 'redis',
  url: `redis://${name}`,
  source: name.toUpperCase(),
  missing: [],
  note: null,
  found: `sealed ${name}`,
  ...more,
})
const play = (...steps: Step[]): readonly Row[] => steps.reduce(stepped, [] as readonly Row[])
const FOUND: Step = {
  is: 'found',
  items: [
    found('a'),
    found('b', { missing: ['user', 'password'], found: null }),
    found('c', { kind: null, note: 'gopher is not supported yet', found: null }),
    found('d'),
  ],
}
const names = (rows: readonly Row[]) => rows.map((row) => row.name)

describe('an import', () => {
  it('picks what is usable, and says of the rest why it is not', () => {
    const rows = play(FOUND)
    expect(names(pickedOf(rows))).toEqual(['a', 'd'])
    expect(rows.map(obstacle)).toEqual([
      '',
      'Missing: user, password',
      'gopher is not supported yet',
      '',
    ])
  })

  it('never picks what is not usable', () => {
    expect(names(pickedOf(play(FOUND, { is: 'picked', ids: [0, 1, 2], picked: true })))).toEqual([
      'a',
      'd',
    ])
  })

  it('counts how far the tests are', () => {
    const rows = play(
      FOUND,
      { is: 'tested', id: 0, test: { phase: 'done', result: aResult({ status: 'degraded' }) } },
      { is: 'tested', id: 3, test: { phase: 'running', stage: 'tcp' } },
    )
    expect(tallyOf(rows)).toEqual({ asked: 2, over: 1, failed: 0 })
    expect(rows.filter(works)).toHaveLength(1)
  })

  it('keeps the results that came before it was cancelled', () => {
    const rows = play(
      FOUND,
      { is: 'tested', id: 0, test: { phase: 'done', result: aResult({ status: 'up' }) } },
      { is: 'tested', id: 3, test: { phase: 'waiting' } },
      { is: 'cancelled' },
    )
    expect(rows.map((row) => row.test.phase)).toEqual(['done', 'none', 'none', 'none'])
  })

  it('saves nothing twice, not even when the text is looked through again', () => {
    const saved = play(FOUND, { is: 'saved', id: 0, as: 7 })
    expect(names(pickedOf(saved))).toEqual(['d'])
    expect(names(pickedOf(stepped(saved, FOUND)))).toEqual(['d'])
  })

  it('forgets a mistake when the name is changed', () => {
    const mistake = new Error('taken')
    const refused = play(FOUND, { is: 'notSaved', id: 0, mistake })
    expect(refused[0]?.mistake).toBe(mistake)
    const [row] = stepped(refused, { is: 'named', id: 0, name: 'e' })
    expect(row).toMatchObject({ name: 'e', mistake: null })
  })
})

describe('aFewAtOnce', () => {
  it('runs all, and never more at once than allowed', async () => {
    let now = 0
    let most = 0
    const done: number[] = []
    await aFewAtOnce([1, 2, 3, 4, 5], 2, new AbortController().signal, async (item) => {
      most = Math.max(most, (now += 1))
      await Promise.resolve()
      now -= 1
      done.push(item)
    })
    expect(done.toSorted()).toEqual([1, 2, 3, 4, 5])
    expect(most).toBe(2)
  })

  it('begins nothing more once it is aborted', async () => {
    const stop = new AbortController()
    const begun: number[] = []
    await aFewAtOnce([1, 2, 3], 1, stop.signal, async (item) => {
      begun.push(item)
      stop.abort()
    })
    expect(begun).toEqual([1])
  })
})
