import { useMemo } from 'react'

import type { Kind } from '#/api/types'
import { describedKind } from '#/lib/kinds'
import { type Field, fieldsOf, type Schema } from '#/lib/jsonSchema'

import type { Part } from './SchemaForm'

/** The parts of a target's form: its name, its kind's settings, and what all targets have. */
function partsOf(kind: Kind | null, common: Schema): readonly Part[] {
  if (kind === null) return []
  const own = kind.defaults
  // A kind's own defaults stand before those of all targets.
  const ofAll = fieldsOf(common).map((each) => ({
    ...each,
    fallback: own[each.key] ?? each.fallback,
  }))
  return [
    { title: 'Name', fields: ofAll.filter(({ key }) => key === 'name') },
    { title: describedKind(kind).title, fields: fieldsOf(kind.settings) },
    {
      title: 'When it is tested, and how it counts',
      fields: ofAll.filter(({ key }) => key !== 'name'),
    },
  ]
}

export const useParts = (kind: Kind | null, common: Schema): readonly Part[] =>
  useMemo(() => partsOf(kind, common), [kind, common])

export const useFields = (parts: readonly Part[]): readonly Field[] =>
  useMemo(() => parts.flatMap((part) => part.fields), [parts])
