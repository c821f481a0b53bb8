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
  /** `path`: of what was changed within a group; else it is the field itself. */
  onChange: (draft: Draft, path?: string) => void
}
