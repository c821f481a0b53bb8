import { useQuery } from '@tanstack/react-query'

import { useApi } from '#/api/context'
import { kindsQuery } from '#/api/queries'
import type { Kind } from '#/api/types'
import type { Schema } from '#/lib/jsonSchema'

interface Kinds {
  readonly items: readonly Kind[]
  /** The schema of what every target has, whatever its kind. */
  readonly common: Schema
}

/** The kinds, and what all targets have. */
export const useKinds = () =>
  useQuery({ ...kindsQuery(useApi()), select: (answer) => answer as unknown as Kinds })
