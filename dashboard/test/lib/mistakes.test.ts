import { describe, expect, it } from 'vitest'

import { row } from '#/lib/form'
import { fieldsOf } from '#/lib/jsonSchema'
import { isUnder, placedErrors, unsendable } from '#/lib/mistakes'

const LABELS = { type: 'object', additionalProperties: { type: 'string' } }
const FIELDS = fieldsOf({
  properties: {
    name: { type: 'string' },
    codes: { type: 'array', items: { anyOf: [{ type: 'integer' }, { type: 'string' }] } },
    marks: { type: 'array', items: { enum: ['x', 'y'] } },
    labels: LABELS,
    tls: { type: 'object', properties: { verify: { type: 'boolean' }, ca: { type: 'string' } } },
    deep: {
      type: 'object',
      properties: { notes: { type: 'array', items: { type: 'string' } }, labels: LABELS },
    },
  },
})

const place = (...errors: [string, string][]) =>
  placedErrors(
    FIELDS,
    errors.map(([field, message]) => ({ field, message })),
    { codes: '200\n\n 2x \n\n2y', marks: '"x"\n"z"', deep: { notes: '\na' } },
  )

describe('placedErrors', () => {
  it('puts a mistake at its field, however deep', () => {
    expect(Object.fromEntries(place(['name', 'is missing'], ['tls.ca', 'is no file']).at)).toEqual({
      name: 'is missing',
      'tls.ca': 'is no file',
    })
  })

  it('says where in a list or a table the mistake is', () => {
    const { at } = place(['codes.1', 'is no status code'], ['labels.team', 'is too long'])
    expect(at.get('codes')).toBe('Line 3: is no status code')
    expect(at.get('labels')).toBe('team: is too long')
  })

  it('counts the lines that somebody sees, within a group too, and names what was chosen', () => {
    const { at } = place(['codes.2', 'is bad'], ['deep.notes.0', 'is bad'], ['marks.1', 'is bad'])
    expect(Object.fromEntries(at)).toEqual({
      codes: 'Line 5: is bad',
      'deep.notes': 'Line 2: is bad',
      marks: 'z: is bad',
    })
  })

  it('keeps what no field is for', () => {
    const { at, rest } = place(['', 'the whole is wrong'], ['namesake', 'is not known here'])
    expect(at.size).toBe(0)
    expect(rest.map((each) => each.message)).toEqual(['the whole is wrong', 'is not known here'])
  })

  it('tells which folded field has one', () => {
    const tls = FIELDS.find((each) => each.key === 'tls')
    if (tls === undefined) throw new Error('no tls')
    expect(isUnder(['tls.ca'], tls)).toBe(true)
    expect(isUnder(['tlsx'], tls)).toBe(false)
  })
})

describe('unsendable', () => {
  const team = [row('team', 'one'), row('team', 'two'), row(), row()]

  it('is a table in which a name stands twice, for one of the two would be lost', () => {
    expect(unsendable(FIELDS, { labels: team, deep: { labels: team } })).toEqual([
      { field: 'labels', message: '“team” stands there twice.' },
      { field: 'deep.labels', message: '“team” stands there twice.' },
    ])
  })

  it('is one of which several values have no name', () => {
    expect(unsendable(FIELDS, { labels: [row('', 'one'), row('', 'two')] })).toEqual([
      { field: 'labels', message: 'More than one value has no name.' },
    ])
  })

  it('is nothing else', () => {
    expect(unsendable(FIELDS, { name: '', labels: [row('a', '1'), row('b', '1')] })).toEqual([])
  })
})
