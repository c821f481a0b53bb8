import type { Result, Status, Summary } from '#/api/types'

/** What `mooring check --json` prints and the API answers, and whether it is about all that was asked. */
interface Report {
  /** False: it was cancelled or broke, and nothing is said of the others. */
  complete: boolean
  tested: number
  of: number
  summary: Summary
  results: readonly Result[]
}

interface Run {
  phase: string
  total: number
  results: readonly Result[]
  paused: number
}

export function report({ phase, total, results, paused }: Run): Report {
  return {
    complete: phase === 'done' && results.length >= total,
    tested: results.length,
    of: total,
    summary: { ...tally(results), paused },
    results,
  }
}

/** How many results have each status; every status is there, also with 0. */
export function tally(results: Iterable<{ status: Status }>): Record<Status, number> {
  const counts: Record<Status, number> = { up: 0, degraded: 0, down: 0, unknown: 0 }
  for (const each of results) counts[each.status] += 1
  return counts
}

/** The name of a report's file: sorts by time, and holds nothing that a file system refuses. */
export function reportName(at: Date): string {
  return `mooring-report-${at.toISOString().slice(0, 19).replaceAll(':', '')}Z.json`
}
