// The list of an import: each found address goes its own way from found over tested to saved.
import type { Found, Result, Stage } from '#/api/types'

export type Test =
  | { readonly phase: 'none' }
  | { readonly phase: 'waiting' }
  | { readonly phase: 'running'; readonly stage: Stage | null }
  | { readonly phase: 'done'; readonly result: Result }
  | { readonly phase: 'refused'; readonly error: Error }

export interface Row {
  readonly id: number
  readonly found: Found
  readonly name: string
  readonly picked: boolean
  readonly test: Test
  readonly saving: boolean
  /** Of the target that it became; null as long as it is none. */
  readonly savedAs: number | null
  readonly mistake: Error | null
}

export type Step =
  | { readonly is: 'found'; readonly items: readonly Found[] }
  | { readonly is: 'named'; readonly id: number; readonly name: string }
  | { readonly is: 'picked'; readonly ids: readonly number[]; readonly picked: boolean }
  | { readonly is: 'tested'; readonly id: number; readonly test: Test }
  | { readonly is: 'cancelled' }
  | { readonly is: 'saving'; readonly id: number }
  | { readonly is: 'saved'; readonly id: number; readonly as: number }
  /** `mistake` is null where nothing is wrong with it. */
  | { readonly is: 'notSaved'; readonly id: number; readonly mistake: Error | null }

const NOT_TESTED: Test = { phase: 'none' }

/** Whether it can be tested and saved as it stands. */
export const isUsable = ({ found }: Pick<Row, 'found'>): boolean =>
  found.found !== null && found.note === null && found.missing.length === 0

/** Whether it can still become a target. */
export const isOpen = (row: Row): boolean => isUsable(row) && row.savedAs === null

/** Return the rows that are to be tested or saved. */
export const pickedOf = (rows: readonly Row[]): Row[] =>
  rows.filter((row) => isOpen(row) && row.picked)

export const works = (row: Row): boolean =>
  row.test.phase === 'done' &&
  (row.test.result.status === 'up' || row.test.result.status === 'degraded')

/** Return what is missing of a row, or why it cannot be tested; '' where nothing is. */
export function obstacle({ found }: Row): string {
  if (found.note !== null) return found.note
  if (found.missing.length > 0) return `Missing: ${found.missing.join(', ')}`
  return ''
}

interface Tally {
  readonly asked: number
  readonly over: number
  readonly failed: number
}

/** Return how far a round of tests is. */
export function tallyOf(rows: readonly Row[]): Tally {
  const asked = rows.filter(({ test }) => test.phase !== 'none')
  const over = asked.filter(({ test }) => test.phase === 'done' || test.phase === 'refused')
  return {
    asked: asked.length,
    over: over.length,
    failed: over.filter((row) => !works(row)).length,
  }
}

export function stepped(rows: readonly Row[], step: Step): readonly Row[] {
  switch (step.is) {
    case 'found':
      return step.items.map((found, id) => ({
        id,
        found,
        name: found.name,
        picked: isUsable({ found }),
        test: NOT_TESTED,
        saving: false,
        savedAs: savedBefore(rows, found),
        mistake: null,
      }))
    case 'named':
      return changed(rows, step.id, { name: step.name, mistake: null })
    case 'picked': {
      const ids = new Set(step.ids)
      return rows.map((row) => (ids.has(row.id) ? { ...row, picked: step.picked } : row))
    }
    case 'tested':
      return changed(rows, step.id, { test: step.test })
    case 'cancelled':
      return rows.map((row) =>
        row.test.phase === 'waiting' || row.test.phase === 'running'
          ? { ...row, test: NOT_TESTED }
          : row,
      )
    case 'saving':
      return changed(rows, step.id, { saving: true, mistake: null })
    case 'saved':
      return changed(rows, step.id, { saving: false, savedAs: step.as })
    case 'notSaved':
      return changed(rows, step.id, { saving: false, mistake: step.mistake })
  }
}

/** What was saved stays so when the same text is looked through again. */
const savedBefore = (rows: readonly Row[], found: Found): number | null =>
  rows.find(
    (row) =>
      row.savedAs !== null && row.found.url === found.url && row.found.source === found.source,
  )?.savedAs ?? null

const changed = (rows: readonly Row[], id: number, to: Partial<Row>): readonly Row[] =>
  rows.map((row) => (row.id === id ? { ...row, ...to } : row))

/** Run a task for each item, a few side by side. A task handles its own errors; aborted, none begins. */
export async function aFewAtOnce<T>(
  items: readonly T[],
  most: number,
  signal: AbortSignal,
  task: (item: T) => Promise<void>,
): Promise<void> {
  const waiting = [...items]
  const worker = async (): Promise<void> => {
    const next = waiting.shift()
    if (next === undefined || signal.aborted) return
    await task(next)
    return worker()
  }
  await Promise.all(Array.from({ length: most }, worker))
}
