import { describe, expect, it } from 'vitest'

import { bodyOf, type Drafts, draftsOf, isSet, row } from '#/lib/form'
import { fieldsOf } from '#/lib/jsonSchema'

const FIELDS = fieldsOf({
  properties: {
    name: { type: 'string' },
    url: { type: 'string', writeOnly: true },
    token: { type: 'string', writeOnly: true },
    port: { type: 'integer' },
    on: { type: 'boolean', default: true },
    mode: { enum: ['a', 'b', 3] },
    codes: { type: 'array', items: { anyOf: [{ type: 'integer' }, { type: 'string' }] } },
    marks: { type: 'array', items: { enum: ['x', 'y'] } },
    labels: { type: 'object', additionalProperties: { type: 'string' } },
    expect: { anyOf: [{ type: 'string' }, { type: 'number' }, { type: 'null' }] },
    tls: { type: 'object', properties: { verify: { type: 'boolean' }, ca: { type: 'string' } } },
  },
})

const body = (drafts: Drafts) => bodyOf(FIELDS, drafts)

describe('bodyOf', () => {
  it('sends nothing that nobody filled in', () => {
    expect(body({})).toEqual({})
    expect(body({ name: '', port: ' ', labels: [row()], tls: { ca: '' }, codes: '\n' })).toEqual({})
  })

  it('sends each shape as the API takes it', () => {
    const drafts = {
      name: 'a',
      url: ' tcp://a:1\n',
      port: '12',
      on: false,
      mode: '3',
      codes: '200\n\n 2xx ',
      marks: '"x"\n"y"',
      labels: [row('team', 'shop')],
      expect: '"12"',
      tls: { verify: true, ca: '' },
    }
    expect(body(drafts)).toEqual({
      name: 'a',
      url: 'tcp://a:1',
      port: 12,
      on: false,
      mode: 3,
      codes: [200, '2xx'],
      marks: ['x', 'y'],
      labels: { team: 'shop' },
      expect: '12',
      tls: { verify: true },
    })
  })

  it('leaves it to the API to say that a text is no number', () => {
    expect(body({ port: '12a' })).toEqual({ port: '12a' })
    expect(body({ port: 'Infinity' })).toEqual({ port: 'Infinity' })
  })

  it('keeps the blanks of a text and of a secret', () => {
    expect(body({ name: ' a ', token: ' s ' })).toEqual({ name: ' a ', token: ' s ' })
  })
})

describe('draftsOf', () => {
  it('holds stored values so that they are sent back as they came', () => {
    const stored = {
      name: 'a',
      url: 'redis://u:***@h/0',
      token: '***',
      port: 0,
      on: false,
      mode: 'b',
      codes: [200, '2xx', '300'],
      marks: ['y'],
      labels: { team: 'shop', none: '' },
      expect: '12',
      tls: { verify: false },
    }
    expect(body(draftsOf(FIELDS, stored))).toEqual(stored)
  })

  it('holds nothing for what is not stored', () => {
    expect(draftsOf(FIELDS, { name: 'a', other: 1 })).toEqual({ name: 'a' })
  })
})

describe('isSet', () => {
  const set = (drafts: Drafts) =>
    FIELDS.filter((field) => isSet(field, drafts[field.key])).map(({ key }) => key)

  it('counts what differs from its default', () => {
    expect(set({ name: 'x', on: false, labels: [row('a', 'b')] })).toEqual(['name', 'on', 'labels'])
  })

  it('counts in a group what differs from the defaults in it', () => {
    const fields = fieldsOf({
      properties: {
        tls: {
          properties: { verify: { type: 'boolean', default: true }, ca: { type: 'string' } },
          type: 'object',
        },
      },
    })
    const of = (tls: Drafts) => fields.map((field) => isSet(field, tls))
    expect(of({ verify: true })).toEqual([false])
    expect(of({ verify: false })).toEqual([true])
    expect(of({ verify: true, ca: '/ca.pem' })).toEqual([true])
  })

  it('counts neither a stored default nor what was emptied again', () => {
    expect(set({ name: '', on: true, port: ' ', labels: [], tls: { ca: '' } })).toEqual([])
  })
})
