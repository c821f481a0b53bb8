// Reads a JSON Schema into what a form shows. It knows no kind: a setting that nobody thought of here
// still gets a field, at worst one that takes JSON.

export type Json =
  null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json }

export type Schema = Readonly<Record<string, unknown>>

export interface Option {
  readonly value: Json
  readonly word: string
}

export type Shape =
  | { readonly is: 'text'; readonly long: boolean }
  | { readonly is: 'address' }
  | { readonly is: 'secret' }
  | { readonly is: 'number'; readonly whole: boolean; readonly bounds: string }
  | { readonly is: 'switch' }
  | { readonly is: 'choice'; readonly options: readonly Option[] }
  | { readonly is: 'list'; readonly item: Shape }
  | { readonly is: 'table'; readonly item: Shape }
  | { readonly is: 'group'; readonly fields: readonly Field[] }
  /** Several of what a group is one of; the paths of its fields begin within one. */
  | { readonly is: 'items'; readonly name: string; readonly fields: readonly Field[] }
  | { readonly is: 'json'; readonly long: boolean }

export interface Field {
  readonly key: string
  /** Dotted, as the API names it in a mistake. */
  readonly path: string
  readonly title: string
  readonly help: string
  readonly example: Json | undefined
  readonly fallback: Json | undefined
  readonly required: boolean
  /** Whether it stands in view, and not under "More settings". */
  readonly main: boolean
  readonly shape: Shape
}

const DEEPEST = 6
const LONG_TEXT = 1000
const WORDS: Readonly<Record<string, string>> = {
  url: 'Address',
  tls: 'TLS',
  ca: 'CA',
  cpu: 'CPU',
  id: 'ID',
  ip: 'IP',
  json: 'JSON',
  sql: 'SQL',
  http: 'HTTP',
  https: 'HTTPS',
  dns: 'DNS',
  graphql: 'GraphQL',
}

/** Return the fields of an object's schema, those of a kind or of all targets. */
export function fieldsOf(schema: Schema, above = '', defs = defsOf(schema), depth = 0): Field[] {
  const required = new Set(texts(schema['required']))
  return Object.entries(object(schema['properties'])).flatMap(([key, found]) => {
    const own = resolved(object(found), defs)
    if (own['const'] !== undefined || own['readOnly'] === true) return []
    const { schema: plain, nullable } = withoutNull(own, defs)
    const shape = shapeOf(plain, { key, nullable, defs, depth })
    return [
      {
        key,
        path: above === '' ? key : `${above}.${key}`,
        title: titleOf(key, own),
        help: words(own['description']),
        example: examples(own)[0] ?? examples(plain)[0],
        fallback: own['default'] as Json | undefined,
        required: required.has(key),
        main: own['x-more'] !== true && isMain(key, shape, required.has(key)),
        shape: shape.is === 'group' ? placed(shape, above === '' ? key : `${above}.${key}`) : shape,
      },
    ]
  })
}

/** Return every field, those within groups too. */
export const flat = (fields: readonly Field[]): Field[] =>
  fields.flatMap((each) => [each, ...(each.shape.is === 'group' ? flat(each.shape.fields) : [])])

/** Return the text that an empty field shows: its default, else an example. */
export function placeholderOf(field: Field): string {
  const { fallback, example } = field
  const shown = isNothing(fallback) ? '' : written(fallback)
  if (shown !== '') return shown
  return example === undefined ? '' : `e.g. ${written(example)}`
}

/** Return a value as somebody would type it. */
export function written(value: Json | undefined): string {
  if (isNothing(value)) return ''
  if (Array.isArray(value)) return value.map((each: Json) => written(each)).join(', ')
  if (typeof value !== 'object' || value === null) return String(value)
  return Object.entries(value)
    .map(([key, each]) => `${key}: ${written(each)}`)
    .join(', ')
}

function isNothing(value: Json | undefined): boolean {
  return value === undefined || value === null
}

/** An address mostly does: what is required and what is secret stands beside it, unless it is marked. */
function isMain(key: string, shape: Shape, required: boolean): boolean {
  return required || key === 'url' || shape.is === 'secret'
}

/** A group's fields are read before its own path is known. */
function placed(group: Extract<Shape, { is: 'group' }>, path: string): Shape {
  const fields = group.fields.map((each) => ({
    ...each,
    path: `${path}.${each.path}`,
    shape: each.shape.is === 'group' ? placed(each.shape, path) : each.shape,
  }))
  return { is: 'group', fields }
}

/** Return the fields of one of several, which its key tells from the others. */
export function fieldsOfItem({ path, shape }: Field, key: string): readonly Field[] {
  const fields = shape.is === 'items' ? shape.fields : []
  const group = placed({ is: 'group', fields }, `${path}.${key}`)
  return group.is === 'group' ? group.fields : []
}

interface Around {
  readonly key: string
  readonly nullable: boolean
  readonly defs: Schema
  readonly depth: number
}

function shapeOf(schema: Schema, around: Around): Shape {
  const options = optionsOf(schema, around.defs)
  if (options !== null) return { is: 'choice', options }
  const branches = branchesOf(schema, around.defs)
  if (branches !== null) return ofBranches(branches, around)
  switch (schema['type']) {
    case 'string':
      return ofText(schema, around.key)
    case 'integer':
    case 'number':
      return { is: 'number', whole: schema['type'] === 'integer', bounds: boundsOf(schema) }
    case 'boolean':
      return around.nullable ? { is: 'choice', options: YES_NO } : { is: 'switch' }
    case 'array':
      return ofList(schema, around)
    case 'object':
      return ofObject(schema, around)
    default:
      return { is: 'json', long: false }
  }
}

const YES_NO: readonly Option[] = [
  { value: true, word: 'Yes' },
  { value: false, word: 'No' },
]

function ofText(schema: Schema, key: string): Shape {
  if (key === 'url') return { is: 'address' }
  if (schema['writeOnly'] === true || schema['format'] === 'password') return { is: 'secret' }
  return { is: 'text', long: Number(schema['maxLength'] ?? 0) > LONG_TEXT }
}

function ofBranches(branches: readonly Schema[], around: Around): Shape {
  const shapes = branches.map((each) => shapeOf(each, { ...around, nullable: false }))
  if (shapes.every((each) => each.is === 'text' || each.is === 'secret' || each.is === 'address')) {
    return shapes.find((each) => each.is === 'secret') ?? shapes[0] ?? { is: 'json', long: false }
  }
  if (shapes.every((each) => each.is === 'number'))
    return { is: 'number', whole: false, bounds: '' }
  return { is: 'json', long: shapes.some((each) => each.is !== 'text' && !isScalar(each)) }
}

function ofList(schema: Schema, around: Around): Shape {
  const one = resolved(object(schema['items']), around.defs)
  const item = shapeOf(one, inside(around))
  if (item.is === 'group') return { is: 'items', name: words(one['title']), fields: item.fields }
  return isScalar(item) || (item.is === 'json' && !item.long)
    ? { is: 'list', item }
    : { is: 'json', long: true }
}

function ofObject(schema: Schema, around: Around): Shape {
  if (schema['properties'] !== undefined && around.depth < DEEPEST) {
    return { is: 'group', fields: fieldsOf(schema, '', around.defs, around.depth + 1) }
  }
  const values = schema['additionalProperties']
  if (typeof values !== 'object' || values === null) return { is: 'json', long: true }
  const item = shapeOf(resolved(object(values), around.defs), inside(around))
  return isScalar(item) || item.is === 'json' ? { is: 'table', item } : { is: 'json', long: true }
}

const inside = (around: Around): Around => ({ ...around, key: '', depth: around.depth + 1 })

const isScalar = (shape: Shape): boolean =>
  !['list', 'table', 'group', 'items', 'json'].includes(shape.is)

/** The values that can be chosen from, or null where anything can be written. */
function optionsOf(schema: Schema, defs: Schema): Option[] | null {
  if (schema['const'] !== undefined) return [optionOf(schema['const'] as Json)]
  if (Array.isArray(schema['enum'])) return schema['enum'].map((each) => optionOf(each as Json))
  const branches = branchesOf(schema, defs)
  if (branches === null) return null
  const found = branches.map((each) =>
    each['type'] === 'boolean' ? [...YES_NO] : optionsOf(each, defs),
  )
  return found.every((each) => each !== null) ? found.flat() : null
}

const optionOf = (value: Json): Option =>
  YES_NO.find((each) => each.value === value) ?? { value, word: written(value) }

/** What else it could be, without null; null itself where it is one thing only. */
function branchesOf(schema: Schema, defs: Schema): Schema[] | null {
  const listed = schema['anyOf'] ?? schema['oneOf']
  if (Array.isArray(listed)) return listed.map((each) => resolved(object(each), defs))
  const types = schema['type']
  return Array.isArray(types) ? types.map((type: unknown) => ({ ...schema, type })) : null
}

function withoutNull(schema: Schema, defs: Schema): { schema: Schema; nullable: boolean } {
  const branches = branchesOf(schema, defs)
  if (branches === null) return { schema, nullable: false }
  const rest = branches.filter((each) => each['type'] !== 'null')
  const nullable = rest.length < branches.length
  const only = rest[0]
  if (rest.length === 1 && only !== undefined) return { schema: only, nullable }
  return { schema: { anyOf: rest }, nullable }
}

function resolved(schema: Schema, defs: Schema, depth = 0): Schema {
  const reference = words(schema['$ref'])
  if (reference !== '' && depth < DEEPEST) {
    const meant = resolved(object(defs[reference.replace('#/$defs/', '')]), defs, depth + 1)
    return { ...meant, ...schema, $ref: undefined }
  }
  const all = schema['allOf']
  return Array.isArray(all) && all.length === 1
    ? { ...resolved(object(all[0]), defs, depth + 1), ...schema, allOf: undefined }
    : schema
}

function boundsOf(schema: Schema): string {
  const { minimum, exclusiveMinimum, maximum, exclusiveMaximum } = schema
  const least = minimum !== undefined ? `at least ${String(minimum)}` : ''
  const above = exclusiveMinimum !== undefined ? `above ${String(exclusiveMinimum)}` : ''
  const most = maximum !== undefined ? `at most ${String(maximum)}` : ''
  const below = exclusiveMaximum !== undefined ? `below ${String(exclusiveMaximum)}` : ''
  return [least || above, most || below].filter(Boolean).join(', ')
}

/** The schema's own title where somebody chose it; the one that is made from the key shouts Each Word. */
function titleOf(key: string, schema: Schema): string {
  const made = key.toLowerCase().split('_').join(' ')
  const given = words(schema['title'])
  const chosen = given !== '' && given.toLowerCase() !== made && typeof schema['$ref'] !== 'string'
  if (chosen && schema['properties'] === undefined) return given
  const spelled = made
    .split(' ')
    .map((word) => WORDS[word] ?? word)
    .join(' ')
  return spelled.charAt(0).toUpperCase() + spelled.slice(1)
}

const defsOf = (schema: Schema): Schema => object(schema['$defs'])
const object = (value: unknown): Schema =>
  typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Schema) : {}
const words = (value: unknown): string => (typeof value === 'string' ? value : '')
const texts = (value: unknown): string[] => (Array.isArray(value) ? value.map(String) : [])
const examples = (schema: Schema): Json[] =>
  Array.isArray(schema['examples']) ? (schema['examples'] as Json[]) : []
