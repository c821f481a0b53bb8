// What is wrong with a form: what the API says of it, and the little that it could not know.
import { asGroup, asText, type Draft, type Drafts, filled, lines } from './form'
import { type Field, fieldsOfItem, flat, type Json, written } from './jsonSchema'

interface FieldError {
  readonly field: string
  readonly message: string
}

/**
 * Return what must not be sent. A JSON object has each key once: the API would be sent the last of two, and
 * could not tell that there was another.
 */
export function unsendable(fields: readonly Field[], drafts: Drafts): FieldError[] {
  return fields.flatMap((field) => {
    const { key, path, shape } = field
    if (shape.is === 'group') return unsendable(shape.fields, asGroup(drafts[key]))
    if (shape.is === 'items') {
      return Object.values(asGroup(drafts[key])).flatMap((each, index) =>
        unsendable(fieldsOfItem(field, String(index)), asGroup(each)),
      )
    }
    if (shape.is !== 'table') return []
    return twice(drafts[key]).map((name) => ({
      field: path,
      message: name === '' ? 'More than one value has no name.' : `“${name}” stands there twice.`,
    }))
  })
}

function twice(draft: Draft): string[] {
  const names = filled(draft).map((each) => each.key)
  return [...new Set(names.filter((name, index) => names.indexOf(name) !== index))]
}

/**
 * Return each mistake under the path of the field at which it shows, and those that no field is for.
 * `drafts`: what was sent, as it was typed.
 */
export function placedErrors(
  fields: readonly Field[],
  errors: readonly FieldError[],
  drafts: Drafts,
): { at: ReadonlyMap<string, string>; rest: readonly FieldError[] } {
  const at = new Map<string, string>()
  const rest: FieldError[] = []
  for (const error of errors) {
    const { field, path } = fieldAt(fields, error.field, drafts)
    if (field === undefined) rest.push(error)
    else {
      const said = `${within(field, path, drafts)}${error.message}`
      at.set(field.path, at.has(field.path) ? `${at.get(field.path)} ${said}` : said)
    }
  }
  return { at, rest }
}

interface Place {
  readonly field: Field | undefined
  /** Where the mistake stands, each of several by its key. */
  readonly path: string
}

/** The API counts several, which here have keys: what is counted may have changed since it was sent. */
function fieldAt(fields: readonly Field[], path: string, drafts: Drafts): Place {
  const field = flat(fields)
    .toSorted((a, b) => b.path.length - a.path.length)
    .find((each) => isWithin(path, each.path))
  if (field?.shape.is !== 'items') return { field, path }
  const [index = '', ...rest] = path.slice(field.path.length + 1).split('.')
  const key = Object.keys(asGroup(draftAt(drafts, field.path)))[Number(index)]
  if (index === '' || key === undefined) return { field, path }
  const inner = fieldAt(fieldsOfItem(field, key), [field.path, key, ...rest].join('.'), drafts)
  return inner.field === undefined ? { field, path } : inner
}

/** Where in a field the mistake stands: a line of a list, a key of a table. */
function within(field: Field, path: string, drafts: Drafts): string {
  const inner = path.slice(field.path.length + 1)
  if (inner === '') return ''
  if (field.shape.is !== 'list' || !/^\d+$/.test(inner)) return `${inner}: `
  const text = asText(draftAt(drafts, field.path))
  const { item } = field.shape
  if (item.is === 'choice') return `${chosen(lines(text)[Number(inner)])}: `
  return `Line ${lineOf(text, Number(inner))}: `
}

const chosen = (value = ''): string => written(JSON.parse(value === '' ? '""' : value) as Json)

/** Return the line of the nth entry, as somebody counts them who sees the blank ones too. */
function lineOf(text: string, index: number): number {
  const full = text.split(/\r?\n/).flatMap((line, at) => (line.trim() === '' ? [] : [at + 1]))
  return full[index] ?? index + 1
}

const draftAt = (drafts: Drafts, path: string): Draft =>
  path.split('.').reduce<Draft>((draft, key) => asGroup(draft)[key], drafts)

/** Whether a path is this one, or one below it. */
export const isWithin = (path: string, above: string): boolean =>
  path === above || path.startsWith(`${above}.`)

/** Return whether something stands under this field that is not in view unless it is unfolded. */
export const isUnder = (paths: Iterable<string>, field: Field): boolean =>
  [...paths].some((path) => isWithin(path, field.path))
