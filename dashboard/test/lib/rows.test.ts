import { expect, test } from 'vitest'

import { latencyOf, searchText, sortRows } from '#/lib/rows'

import { aFailure, aRow } from '../values'

const names = (rows: readonly { name: string }[]) => rows.map((row) => row.name)

test('worst first, and among what fails the newest change', () => {
  const rows = [
    aRow({ id: 1, name: 'fine', status: 'up' }),
    aRow({ id: 2, name: 'resting', status: 'down', enabled: false }),
    aRow({ id: 3, name: 'long down', status: 'down', since: '2026-01-01T00:00:00+00:00' }),
    aRow({ id: 4, name: 'just down', status: 'down', since: '2026-01-02T00:00:00+00:00' }),
    aRow({ id: 5, name: 'slow', status: 'degraded' }),
    aRow({ id: 6, name: 'odd', status: 'unknown' }),
  ]

  const sorted = names(sortRows(rows, 'worst'))

  expect(sorted).toEqual(['just down', 'long down', 'slow', 'odd', 'fine', 'resting'])
})

test('names are ordered without regard to case, and numbers in them by value', () => {
  const rows = ['db-10', 'DB-2', 'api', 'Web'].map((name, id) => aRow({ id, name }))

  expect(names(sortRows(rows, 'name'))).toEqual(['api', 'DB-2', 'db-10', 'Web'])
})

test('the slowest and the lowest uptime come first, and what is not known last', () => {
  const rows = [
    aRow({ id: 1, name: 'new', seconds: null, uptime_24h: null }),
    aRow({ id: 2, name: 'quick', seconds: 0.001, uptime_24h: 1 }),
    aRow({ id: 3, name: 'slow', seconds: 2, uptime_24h: 0.5 }),
  ]

  expect(names(sortRows(rows, 'latency'))).toEqual(['slow', 'quick', 'new'])
  expect(names(sortRows(rows, 'uptime'))).toEqual(['slow', 'quick', 'new'])
})

test('a check that failed says nothing of how fast its target is, and stands last', () => {
  const rows = [
    aRow({ id: 1, name: 'hangs', status: 'down', seconds: 5, failure: aFailure() }),
    aRow({ id: 2, name: 'quick', seconds: 0.001 }),
    aRow({ id: 3, name: 'slow', seconds: 2 }),
  ]

  expect(names(sortRows(rows, 'latency'))).toEqual(['slow', 'quick', 'hangs'])
})

test('what reports without a time has no latency, and stands last', () => {
  const rows = [
    aRow({ id: 1, name: 'pool', kind: 'pool', seconds: 0 }),
    aRow({ id: 2, name: 'quick', seconds: 0.001 }),
  ]

  expect(rows.map(latencyOf)).toEqual([null, 0.001])
  expect(names(sortRows(rows, 'latency'))).toEqual(['quick', 'pool'])
})

test('a search looks at name, kind, address, labels, reason and message', () => {
  const failure = aFailure({ reason: 'auth', message: 'WRONGPASS Invalid password' })
  const row = aRow({ name: 'Orders', kind: 'redis', labels: { team: 'shop' }, failure })

  const text = searchText(row)

  for (const part of ['orders', 'redis', '10.0.0.7:6379', 'team=shop', 'auth', 'wrongpass']) {
    expect(text).toContain(part)
  }
})

test('what changes for one row leaves the order of 10,000 to be found in well under a frame or two', () => {
  const rows = Array.from({ length: 10_000 }, (_, id) => aRow({ id, name: `target ${id % 977}` }))
  sortRows(rows, 'worst')

  const start = performance.now()
  sortRows(rows, 'worst')

  expect(performance.now() - start).toBeLessThan(250)
})
