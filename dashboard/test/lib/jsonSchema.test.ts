import { describe, expect, it } from 'vitest'

import { type Field, fieldsOf, flat, placeholderOf, type Schema } from '#/lib/jsonSchema'

const SECRET = { type: 'string', format: 'password', writeOnly: true }
const NULL = { type: 'null' }

function only(schema: Schema, key = 'x', required: string[] = []): Field {
  const [field] = fieldsOf({ type: 'object', properties: { [key]: schema }, required })
  if (field === undefined) throw new Error('no field was read')
  return field
}

const shape = (schema: Schema, key?: string) => only(schema, key).shape

describe('fieldsOf', () => {
  it.each([
    ['a text', { type: 'string' }, { is: 'text', long: false }],
    ['a long text', { type: 'string', maxLength: 10_000 }, { is: 'text', long: true }],
    ['a secret', SECRET, { is: 'secret' }],
    ['an optional secret', { anyOf: [SECRET, NULL] }, { is: 'secret' }],
    ['a text that may be secret', { anyOf: [{ type: 'string' }, SECRET] }, { is: 'secret' }],
    ['a switch', { type: 'boolean' }, { is: 'switch' }],
    [
      'a whole number with bounds',
      { type: 'integer', minimum: 1, maximum: 5 },
      { is: 'number', whole: true, bounds: 'at least 1, at most 5' },
    ],
    [
      'a number above zero',
      { anyOf: [{ type: 'number', exclusiveMinimum: 0 }, NULL] },
      { is: 'number', whole: false, bounds: 'above 0' },
    ],
    ['whatever', {}, { is: 'json', long: false }],
    [
      'a text or a number',
      { anyOf: [{ type: 'string' }, { type: 'integer' }, NULL] },
      { is: 'json', long: false },
    ],
    [
      'a list of texts',
      list({ type: 'string' }),
      { is: 'list', item: { is: 'text', long: false } },
    ],
    ['a list of objects', list({ type: 'object' }), { is: 'json', long: true }],
    [
      'a table of texts',
      { type: 'object', additionalProperties: { type: 'string' } },
      { is: 'table', item: { is: 'text', long: false } },
    ],
    ['an object of no known shape', { type: 'object' }, { is: 'json', long: true }],
    ['types as a list', { type: ['string', 'null'] }, { is: 'text', long: false }],
  ])('reads %s', (_, schema, expected) => {
    expect(shape(schema)).toEqual(expected)
  })

  it('lets an optional boolean be neither', () => {
    expect(shape({ anyOf: [{ type: 'boolean' }, NULL] })).toEqual({
      is: 'choice',
      options: [
        { value: true, word: 'Yes' },
        { value: false, word: 'No' },
      ],
    })
  })

  it('offers a boolean and words side by side', () => {
    const found = shape({ anyOf: [{ type: 'boolean' }, { const: 'ca', type: 'string' }] })
    expect(found.is === 'choice' && found.options.map((each) => each.word)).toEqual([
      'Yes',
      'No',
      'ca',
    ])
  })

  it('takes the key url for an address, whatever hides it', () => {
    expect(shape(SECRET, 'url')).toEqual({ is: 'address' })
    expect(only(SECRET, 'url').title).toBe('Address')
  })

  it('reads a nested group with the paths that the API names', () => {
    const schema = {
      $defs: { TLS: { type: 'object', title: 'TLSSettings', properties: { ca: list({}) } } },
      properties: {
        tls: { anyOf: [{ $ref: '#/$defs/TLS' }, NULL], description: 'Whom to trust.' },
      },
    }
    const [tls] = fieldsOf(schema)
    expect(tls).toMatchObject({ title: 'TLS', help: 'Whom to trust.', path: 'tls' })
    expect(flat(fieldsOf(schema)).map((each) => each.path)).toEqual(['tls', 'tls.ca'])
  })

  it('ends with a schema that refers to itself', () => {
    const schema = {
      $defs: { Tree: { type: 'object', properties: { inner: { $ref: '#/$defs/Tree' } } } },
      properties: { tree: { $ref: '#/$defs/Tree' } },
    }
    expect(flat(fieldsOf(schema)).at(-1)?.shape).toEqual({ is: 'json', long: true })
  })

  it('leaves out what can only be one value', () => {
    expect(fieldsOf({ properties: { kind: { const: 'tcp', type: 'string' } } })).toEqual([])
  })

  it('keeps in view what is required, secret or the address, and folds the rest', () => {
    expect(only({ type: 'string' }, 'x', ['x']).main).toBe(true)
    expect(only(SECRET, 'token').main).toBe(true)
    expect(only({ type: 'string' }, 'url').main).toBe(true)
    expect(only({ type: 'string' }, 'x').main).toBe(false)
  })

  it('folds a secret that is marked as rarely used', () => {
    expect(only({ ...SECRET, 'x-more': true }, 'token').main).toBe(false)
  })

  it('writes titles in sentence case, and leaves a title that somebody chose', () => {
    expect(only({ type: 'string', title: 'Follow Redirects' }, 'follow_redirects').title).toBe(
      'Follow redirects',
    )
    expect(only({ type: 'string', title: 'Chatty name' }, 'x').title).toBe('Chatty name')
  })
})

describe('placeholderOf', () => {
  it('shows the default, else an example', () => {
    expect(placeholderOf(only({ type: 'number', default: 0.8, examples: [0.5] }))).toBe('0.8')
    expect(placeholderOf(only({ ...list({}), default: [], examples: [['a', 'b']] }))).toBe(
      'e.g. a, b',
    )
    expect(placeholderOf(only({ type: 'object', examples: [{ team: 'shop', age: 5 }] }))).toBe(
      'e.g. team: shop, age: 5',
    )
    expect(placeholderOf(only({ anyOf: [{ type: 'string' }, NULL], default: null }))).toBe('')
  })
})

function list(items: Schema): Schema {
  return { type: 'array', items: { type: 'string', ...items } }
}
