import { describe, expect, it } from 'vitest'

import { row } from '#/lib/form'
import { differences, firstSides, merged, patchOf, same, storedDrafts } from '#/lib/patch'
import { fieldsOf } from '#/lib/jsonSchema'

const FIELDS = fieldsOf({
  properties: {
    name: { type: 'string' },
    interval: { type: 'number' },
    password: { type: 'string', writeOnly: true },
    labels: { type: 'object', additionalProperties: { type: 'string' } },
  },
})
const STORED = storedDrafts(FIELDS, {
  id: 1,
  name: 'a',
  interval: 30,
  password: '***',
  labels: { team: 'shop' },
})

describe('patchOf', () => {
  it('sends only what changed, and null for what is removed', () => {
    expect(patchOf(FIELDS, STORED, STORED)).toEqual({})
    expect(patchOf(FIELDS, STORED, { ...STORED, interval: '60', labels: [] })).toEqual({
      interval: 60,
      labels: null,
    })
  })

  it('does not send a secret that nobody touched', () => {
    expect(patchOf(FIELDS, STORED, { ...STORED, name: 'b' })).toEqual({ name: 'b' })
    expect(patchOf(FIELDS, STORED, { ...STORED, password: 'new' })).toEqual({ password: 'new' })
  })

  it('takes the same labels in another order for no change', () => {
    const two = { labels: [row('a', '1'), row('b', '2')] }
    const turned = { labels: [row('b', '2'), row('a', '1')] }
    expect(patchOf(FIELDS, two, turned)).toEqual({})
  })
})

describe('differences', () => {
  const theirs = { ...STORED, name: 'theirs', interval: '60' }

  it('names what they changed, and where both did', () => {
    const found = differences(FIELDS, STORED, theirs, { ...STORED, name: 'mine', password: 'x' })
    expect(found.map((each) => [each.field.key, each.verdict])).toEqual([
      ['name', 'both'],
      ['interval', 'theirs'],
      ['password', 'hidden'],
    ])
  })

  it('is no quarrel where both changed it to the same', () => {
    const [name] = differences(FIELDS, STORED, theirs, { ...STORED, name: 'theirs' })
    expect(name?.verdict).toBe('agreed')
  })

  it('asks of a secret that is typed or removed here, for theirs does not show', () => {
    const verdicts = (mine: object) =>
      differences(FIELDS, STORED, STORED, { ...STORED, ...mine }).map((each) => each.verdict)
    expect(verdicts({ password: 'x' })).toEqual(['hidden'])
    expect(verdicts({ password: '' })).toEqual(['hidden'])
    expect(verdicts({ name: 'mine' })).toEqual([])
  })

  it('asks of a table where one of its secrets is replaced, not where one is added beside them', () => {
    const hidden = { ...STORED, labels: [row('key', '***'), row('a', '1')] }
    const verdicts = (...rows: [string, string][]) =>
      differences(FIELDS, hidden, hidden, {
        ...hidden,
        labels: rows.map(([key, value]) => row(key, value)),
      }).map((each) => each.verdict)
    expect(verdicts(['key', 'new'], ['a', '1'])).toEqual(['hidden'])
    expect(verdicts(['a', '1'])).toEqual(['hidden'])
    expect(verdicts(['key', '***'], ['a', '2'], ['b', '3'])).toEqual([])
  })

  it('leaves their secret where that is chosen', () => {
    const decided = merged({ ...theirs, password: 'mine' }, theirs, { password: 'theirs' })
    expect(patchOf(FIELDS, theirs, decided)).toEqual({})
  })

  it('loses nothing that was typed, and nothing that they did elsewhere', () => {
    const mine = { ...STORED, name: 'mine', password: 'new' }
    const sides = firstSides(differences(FIELDS, STORED, theirs, mine))
    const decided = merged(mine, theirs, sides)
    expect(decided).toMatchObject({ name: 'mine', interval: '60', password: 'new' })
    expect(patchOf(FIELDS, theirs, decided)).toEqual({ name: 'mine', password: 'new' })
  })

  it('takes theirs where that is chosen', () => {
    const decided = merged({ ...STORED, name: 'mine' }, theirs, { name: 'theirs' })
    expect(decided['name']).toBe('theirs')
  })
})

describe('same', () => {
  it('compares by content', () => {
    expect(same({ a: [1, { b: null }] }, { a: [1, { b: null }] })).toBe(true)
    expect(same([1, 2], [1])).toBe(false)
    expect(same({ a: 1 }, [1])).toBe(false)
    expect(same(undefined, null)).toBe(false)
  })
})
