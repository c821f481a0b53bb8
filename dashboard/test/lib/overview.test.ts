import { describe, expect, it } from 'vitest'

import type { OverviewRow } from '#/api/types'
import { Merger, standing } from '#/lib/overview'

import { anOverview, aRowOf } from '../values'

const overview = (count: number) =>
  anOverview(Array.from({ length: count }, (_, place) => aRowOf(place + 1)))
const changes = (revision: number, changed: OverviewRow[], removed: number[] = []) => ({
  revision,
  rows: new Map(changed.map((each) => [each.id, each])),
  removed: new Set(removed),
})

describe('merging', () => {
  it('changes, adds and removes time after time', () => {
    const merger = new Merger()
    let shown = merger.merge(overview(4), changes(2, [aRowOf(9)], [1]))
    shown = merger.merge(
      shown,
      changes(3, [aRowOf(9, { name: 'nine' }), aRowOf(3, { name: 'three' })]),
    )
    shown = merger.merge(shown, changes(4, [aRowOf(1, { name: 'again' })], [2]))
    expect(shown.targets.map(({ name }) => name)).toEqual(['three', 't4', 'nine', 'again'])
    expect(shown.revision).toBe(4)
  })

  it('keeps what stays the same object, and what was shown before as it was', () => {
    const before = overview(3)
    const after = new Merger().merge(before, changes(2, [aRowOf(2, { status: 'down' })]))
    expect(after.targets[0]).toBe(before.targets[0])
    expect(before.targets[1]?.status).toBe('up')
    expect(after.status).toBe('down')
  })

  it('finds rows in an overview that was read anew', () => {
    const merger = new Merger()
    merger.merge(overview(3), changes(2, [aRowOf(4)]))
    const fresh = anOverview([aRowOf(8), aRowOf(7)])
    const shown = merger.merge(fresh, changes(3, [aRowOf(7, { name: 'seven' })]))
    expect(shown.targets.map(({ name }) => name)).toEqual(['t8', 'seven'])
  })
})

describe('the whole', () => {
  it('is as bad as the worst that is watched', () => {
    const rows = [
      aRowOf(1),
      aRowOf(2, { status: 'degraded' }),
      aRowOf(3, { status: 'down', enabled: false }),
    ]
    expect(standing(rows)).toEqual({
      status: 'degraded',
      summary: { up: 1, degraded: 1, down: 0, unknown: 0, paused: 1 },
    })
  })

  it('is unknown where nothing is watched', () => {
    expect(standing([aRowOf(1, { enabled: false })]).status).toBe('unknown')
    expect(standing([]).status).toBe('unknown')
  })
})
