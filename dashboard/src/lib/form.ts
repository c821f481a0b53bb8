// What somebody has typed, kept as they typed it, and the JSON that is sent for it. What is no number is
// sent as the text that it is: the API says what is wrong with it, and in the words that it always uses.
import type { Field, Json, Shape } from './jsonSchema'

export interface Row {
  readonly id: number
  readonly key: string
  readonly value: string
}

/** Of one field. Undefined: nobody has touched it, and its default holds. */
export type Draft = undefined | string | boolean | readonly Row[] | Drafts
export interface Drafts {
  readonly [key: string]: Draft
}
export type Body = Readonly<Record<string, Json>>

let made = 0
/** Return a row of a table. Its id is what keeps a row's input the same one while others come and go. */
export const row = (key = '', value = ''): Row => ({ id: (made += 1), key, value })

/** Return a key for one of several, by which it is told from the others while these come and go. */
export const newKey = (): string => String((made += 1))

export const asText = (draft: Draft): string => (typeof draft === 'string' ? draft : '')
export const asRows = (draft: Draft): readonly Row[] =>
  Array.isArray(draft) ? (draft as readonly Row[]) : []
export const asGroup = (draft: Draft): Drafts =>
  typeof draft === 'object' && !Array.isArray(draft) ? (draft as Drafts) : {}

/** Return the rows of a table in which anything is typed. */
export const filled = (draft: Draft): Row[] =>
  asRows(draft).filter((each) => each.key !== '' || each.value !== '')

/** Return what a form holds when it shows these stored values. */
export function draftsOf(fields: readonly Field[], values: Body): Drafts {
  const known = fields.filter((each) => values[each.key] !== undefined && values[each.key] !== null)
  return Object.fromEntries(
    known.map((each) => [each.key, draftOf(each.shape, values[each.key] as Json)]),
  )
}

function draftOf(shape: Shape, value: Json): Draft {
  switch (shape.is) {
    case 'switch':
      return value === true
    case 'choice':
      return JSON.stringify(value)
    case 'list':
      return (Array.isArray(value) ? value : [value])
        .map((each: Json) => asText(draftOf(shape.item, each)))
        .join('\n')
    case 'table':
      return Object.entries(record(value)).map(([key, each]) =>
        row(key, asText(draftOf(shape.item, each))),
      )
    case 'group':
      return draftsOf(shape.fields, record(value))
    case 'items':
      return Object.fromEntries(
        (Array.isArray(value) ? value : []).map((each: Json) => [
          newKey(),
          draftsOf(shape.fields, record(each)),
        ]),
      )
    case 'json':
      return typeof value === 'string' && parsed(value) === value
        ? value
        : JSON.stringify(value, null, shape.long ? 2 : 0)
    case 'text':
    case 'address':
    case 'secret':
    case 'number':
      return typeof value === 'string' ? value : JSON.stringify(value)
  }
}

/** Return what is sent: what nobody filled in is left out, and the server's default holds. */
export function bodyOf(fields: readonly Field[], drafts: Drafts): Body {
  const body: Record<string, Json> = {}
  for (const field of fields) {
    const value = valueOf(field.shape, drafts[field.key])
    if (value !== undefined) body[field.key] = value
  }
  return body
}

export function valueOf(shape: Shape, draft: Draft): Json | undefined {
  switch (shape.is) {
    case 'switch':
      return typeof draft === 'boolean' ? draft : undefined
    case 'list':
      return some(lines(asText(draft)).map((line) => valueOf(shape.item, line) ?? line))
    case 'table': {
      const pairs = filled(draft).map(
        (each) => [each.key, valueOf(shape.item, each.value) ?? ''] as const,
      )
      return pairs.length > 0 ? Object.fromEntries(pairs) : undefined
    }
    case 'group': {
      const body = bodyOf(shape.fields, asGroup(draft))
      return Object.keys(body).length > 0 ? body : undefined
    }
    case 'items':
      return some(Object.values(asGroup(draft)).map((each) => bodyOf(shape.fields, asGroup(each))))
    case 'number':
      return numbered(asText(draft).trim())
    case 'choice':
    case 'json':
      return asText(draft).trim() === '' ? undefined : parsed(asText(draft))
    case 'address':
      return asText(draft).trim() || undefined
    case 'text':
    case 'secret':
      return asText(draft) || undefined
  }
}

/** Whether what is typed says anything but the default, of a group any of its fields. */
export function isSet({ shape, fallback }: Field, draft: Draft): boolean {
  if (shape.is === 'group') {
    return shape.fields.some((each) => isSet(each, asGroup(draft)[each.key]))
  }
  const value = valueOf(shape, draft)
  return value !== undefined && JSON.stringify(value) !== JSON.stringify(fallback)
}

function numbered(text: string): Json | undefined {
  if (text === '') return undefined
  return Number.isFinite(Number(text)) ? Number(text) : text
}

function parsed(text: string): Json {
  try {
    return JSON.parse(text) as Json
  } catch {
    return text
  }
}

export const lines = (text: string): string[] =>
  text
    .split(/\r?\n/)
    .map((line) => line.trim())
    .filter((line) => line !== '')

const some = (values: readonly Json[]): Json | undefined => (values.length > 0 ? values : undefined)
const record = (value: Json): Readonly<Record<string, Json>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
    ? (value as Readonly<Record<string, Json>>)
    : {}
