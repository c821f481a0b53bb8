import { type RefObject, useLayoutEffect, useMemo, useState } from 'react'

import { ApiError, isSignedOut } from '#/api/problem'
import { placedErrors } from '#/lib/form'
import type { Field } from '#/lib/jsonSchema'

const NO_ERRORS: ReadonlyMap<string, string> = new Map()
const WRONG = '[aria-invalid="true"], [data-wrong="true"]'

/**
 * What the API said of a form: each mistake at its field, the rest as one error for the top. The first
 * wrong field gets the focus; a field's mistake goes when the field is changed.
 */
export function useFormErrors(fields: readonly Field[], form: RefObject<HTMLFormElement | null>) {
  const [error, setError] = useState<Error | null>(null)
  const [mended, setMended] = useState<ReadonlySet<string>>(new Set())

  const { at, top } = useMemo(() => placed(fields, error), [fields, error])
  const shown = useMemo(
    () => new Map([...at].filter(([path]) => !mended.has(path.split('.')[0] ?? ''))),
    [at, mended],
  )
  // Before the browser paints, and not in an event: what was folded is unfolded by now.
  useLayoutEffect(() => {
    if (error !== null) form.current?.querySelector<HTMLElement>(WRONG)?.focus()
  }, [error, form])

  return {
    at: shown.size > 0 ? shown : NO_ERRORS,
    top,
    tell: (said: Error | null) => {
      setMended(new Set())
      // Whose session has ended is asked to sign in, over the form: that is no mistake in it.
      setError(isSignedOut(said) ? null : said)
    },
    mend: (key: string) => setMended((keys) => (keys.has(key) ? keys : new Set(keys).add(key))),
  }
}

function placed(fields: readonly Field[], error: Error | null) {
  if (!(error instanceof ApiError) || error.errors.length === 0)
    return { at: NO_ERRORS, top: error }
  const { at, rest } = placedErrors(fields, error.errors)
  if (rest.length === 0 && at.size > 0) return { at, top: null }
  return {
    at,
    top: new ApiError({ status: error.status, detail: error.message, errors: [...rest] }),
  }
}
