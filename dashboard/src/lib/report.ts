import type { Result, Status, Summary } from '#/api/types'

/** What `mooring check --json` prints and the API answers: one shape for all. */
export interface Report {
  summary: Summary
  results: readonly Result[]
}

export function report(results: readonly Result[], paused: number): Report {
  return { summary: { ...tally(results), paused }, results }
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
