// What an edit sends, and what to do when somebody else was faster: three states of the same keys, as they
// were when the form was opened, as they stand now, and as they are typed here.
import type { Body, Drafts } from './form'
import { bodyOf, draftsOf } from './form'
import type { Field, Json } from './jsonSchema'
import { overwritesHidden } from './mask'

export interface Difference {
  readonly field: Field
  readonly was: Json | undefined
  readonly theirs: Json | undefined
  readonly mine: Json | undefined
  readonly verdict: Verdict
}

/**
 * `theirs`: only they changed it. `both`: each to something else. `agreed`: both to the same. `hidden`: it
 * was typed here over a secret, and what they did with that does not show.
 */
export type Verdict = 'theirs' | 'both' | 'agreed' | 'hidden'

export type Side = 'mine' | 'theirs'
type Sides = Readonly<Record<string, Side>>

/** Return only what changed; null for what is to be removed. */
export function patchOf(fields: readonly Field[], stored: Drafts, drafts: Drafts): Body {
  const before = bodyOf(fields, stored)
  const after = bodyOf(fields, drafts)
  const changed = fields.filter(({ key }) => !same(before[key], after[key]))
  return Object.fromEntries(changed.map(({ key }) => [key, after[key] ?? null]))
}

/** Return what they changed, or may have changed unseen, field by field, beside what stands here. */
export function differences(
  fields: readonly Field[],
  was: Drafts,
  theirs: Drafts,
  mine: Drafts,
): Difference[] {
  const [before, there, here] = [was, theirs, mine].map((each) => bodyOf(fields, each))
  return fields.flatMap((field) => {
    const [old, other, own] = [before?.[field.key], there?.[field.key], here?.[field.key]]
    const verdict = judged(old, other, own)
    return verdict === null ? [] : [{ field, was: old, theirs: other, mine: own, verdict }]
  })
}

type Value = Json | undefined

function judged(old: Value, other: Value, own: Value): Verdict | null {
  if (same(old, other)) return overwritesHidden(other, own) ? 'hidden' : null
  if (same(own, old)) return 'theirs'
  return same(own, other) ? 'agreed' : 'both'
}

const FIRST: Record<Verdict, Side> = {
  theirs: 'theirs',
  agreed: 'theirs',
  both: 'mine',
  hidden: 'mine',
}

/** Return the first choice: what only they changed is theirs, what both changed stays as typed here. */
export const firstSides = (found: readonly Difference[]): Sides =>
  Object.fromEntries(found.map(({ field, verdict }) => [field.key, FIRST[verdict]] as const))

/** Return the form's drafts after each field was decided. Fields that they did not change stay. */
export function merged(mine: Drafts, theirs: Drafts, sides: Sides): Drafts {
  const taken = Object.entries(sides).filter(([, side]) => side === 'theirs')
  return { ...mine, ...Object.fromEntries(taken.map(([key]) => [key, theirs[key]])) }
}

export const storedDrafts = (fields: readonly Field[], target: object): Drafts =>
  draftsOf(fields, target as Body)

export function same(a: Json | undefined, b: Json | undefined): boolean {
  if (a === b) return true
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false
  if (Array.isArray(a) !== Array.isArray(b)) return false
  const [left, right] = [a, b] as [Body, Body]
  const keys = Object.keys(left)
  return (
    keys.length === Object.keys(right).length && keys.every((key) => same(left[key], right[key]))
  )
}
