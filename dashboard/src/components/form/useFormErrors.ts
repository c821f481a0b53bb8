import { type RefObject, useLayoutEffect, useMemo, useState } from 'react'

import { ApiError, isSignedOut } from '#/api/problem'
import type { Drafts } from '#/lib/form'
import type { Field } from '#/lib/jsonSchema'
import { isWithin, placedErrors, unsendable } from '#/lib/mistakes'

const NO_ERRORS: ReadonlyMap<string, string> = new Map()
const NOTHING: Drafts = {}
export type FormErrors = ReturnType<typeof useFormErrors>

const WRONG = '[aria-invalid="true"], [data-wrong="true"]'

/**
 * What the API said of a form: each mistake at its field, the rest as one error for the top. The first
 * wrong field gets the focus; a field's mistake goes when the field is changed.
 */
export function useFormErrors(fields: readonly Field[], form: RefObject<HTMLFormElement | null>) {
  const [error, setError] = useState<Error | null>(null)
  const [sent, setSent] = useState(NOTHING)
  const [mended, setMended] = useState<ReadonlySet<string>>(new Set())

  const { at, top } = useMemo(() => placed(fields, error, sent), [fields, error, sent])
  const shown = useMemo(
    () => new Map([...at].filter(([path]) => ![...mended].some((each) => isWithin(each, path)))),
    [at, mended],
  )
  // Before the browser paints, and not in an event: what was folded is unfolded by now.
  useLayoutEffect(() => {
    if (error !== null) form.current?.querySelector<HTMLElement>(WRONG)?.focus()
  }, [error, form])

  const tell = (said: Error | null) => {
    setMended(new Set())
    // Whose session has ended is asked to sign in, over the form: that is no mistake in it.
    setError(isSignedOut(said) ? null : said)
  }
  return {
    at: shown.size > 0 ? shown : NO_ERRORS,
    /** What stands at no field. */
    top,
    /** What was told, all of it. */
    said: error,
    tell,
    /** What of an error stands at no field. */
    beside: (of: Error): Error | null => placed(fields, of, sent).top,
    /** Whether this can be sent; what cannot is told. */
    passes: (drafts: Drafts): boolean => {
      setSent(drafts)
      const errors = unsendable(fields, drafts)
      if (errors.length > 0) tell(new ApiError({ status: 422, detail: '', errors }))
      return errors.length === 0
    },
    mend: (path: string) =>
      setMended((paths) => (paths.has(path) ? paths : new Set(paths).add(path))),
  }
}

function placed(fields: readonly Field[], error: Error | null, sent: Drafts) {
  if (!(error instanceof ApiError) || error.errors.length === 0)
    return { at: NO_ERRORS, top: error }
  const { at, rest } = placedErrors(fields, error.errors, sent)
  if (rest.length === 0 && at.size > 0) return { at, top: null }
  return {
    at,
    top: new ApiError({ status: error.status, detail: error.message, errors: [...rest] }),
  }
}
