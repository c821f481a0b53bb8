import type { Draft } from '#/lib/form'
import type { Field } from '#/lib/jsonSchema'

/** What every field of a form is given, whatever its shape. */
export interface FieldProps {
  field: Field
  draft: Draft
  /** What the server holds, a secret as its mask; undefined where it holds nothing. */
  stored: Draft
  errors: ReadonlyMap<string, string>
  disabled: boolean
  onChange: (draft: Draft) => void
}
