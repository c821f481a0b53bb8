// What the API writes in the place of a secret. Two masks are equal whatever stands behind them.
import type { Json } from './jsonSchema'

export const MASK = '***'

/** Whether a value replaces, or drops, something that is hidden in what stood there before. */
export function overwritesHidden(before: Json | undefined, after: Json | undefined): boolean {
  if (typeof before === 'string') return before.includes(MASK) && before !== after
  if (typeof before !== 'object' || before === null) return false
  const inside = (typeof after === 'object' && after !== null ? after : {}) as Inside
  return Object.entries(before as Inside).some(([key, each]) => overwritesHidden(each, inside[key]))
}

type Inside = Readonly<Record<string, Json>>
