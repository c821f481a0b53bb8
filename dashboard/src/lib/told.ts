// A setting's value in words to compare by, as the form itself puts it; what is secret is named, not shown.
import { withoutPassword } from './address'
import type { Field, Json, Shape } from './jsonSchema'
import { MASK } from './mask'
import { written } from './jsonSchema'

export function told({ shape }: Pick<Field, 'shape'>, value: Json | undefined): string {
  return value === undefined || value === null ? 'not set' : words(shape, value) || 'empty'
}

function words(shape: Shape, value: Json): string {
  switch (shape.is) {
    case 'secret':
      return value === MASK ? 'hidden' : 'what you have typed'
    case 'switch':
      return typeof value === 'boolean' ? (value ? 'on' : 'off') : written(value)
    case 'choice':
      return shape.options.find((each) => each.value === value)?.word ?? written(value)
    case 'address':
      return withoutPassword(written(value))
    case 'list':
      return Array.isArray(value)
        ? value.map((each: Json) => words(shape.item, each)).join(', ')
        : written(value)
    case 'group':
      return typeof value === 'object' && value !== null && !Array.isArray(value)
        ? inner(shape.fields, value as Readonly<Record<string, Json>>)
        : written(value)
    case 'items':
      return Array.isArray(value)
        ? value.map((each: Json) => words({ is: 'group', fields: shape.fields }, each)).join('; ')
        : written(value)
    case 'text':
    case 'number':
    case 'table':
    case 'json':
      return written(value)
  }
}

const inner = (fields: readonly Field[], value: Readonly<Record<string, Json>>): string =>
  fields
    .filter(({ key }) => value[key] !== undefined && value[key] !== null)
    .map((field) => `${field.title}: ${told(field, value[field.key])}`)
    .join(', ')
