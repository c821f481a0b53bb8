import type { Stage, StageResult, StageStatus } from '#/api/types'

/** What is shown of a stage: its verdict, and while a check runs also where it stands in line. */
export type Verdict =
  Exclude<StageStatus, 'skipped'> | 'unused' | 'unreached' | 'running' | 'waiting' | 'notSoFar'

export const VERDICT_WORD: Record<Verdict, string> = {
  passed: 'passed',
  warning: 'warning',
  failed: 'failed',
  unused: 'not used',
  unreached: 'not reached',
  running: 'running',
  waiting: 'waiting',
  notSoFar: 'not so far',
}

export interface Step {
  stage: string
  verdict: Verdict
  /** Seconds, null where it has no time of its own. */
  seconds: number | null
  /** Where its bar begins and how long it is, as shares of the axis; null where it has no bar. */
  bar: { from: number; width: number } | null
}

export interface Fall {
  steps: Step[]
  /** Seconds that the axis spans. */
  span: number
  /** Seconds of the check that no stage accounts for. */
  rest: number
}

type Passed = Pick<StageResult, 'name' | 'status' | 'seconds'>

/** A finished check as a waterfall, in the order of its trail: some protocols speak before TLS. */
export function finished(trail: readonly Passed[], seconds: number): Fall {
  const broke = trail.findIndex((each) => each.status === 'failed')
  const spent = trail.reduce((sum, each) => sum + (each.seconds ?? 0), 0)
  const span = Math.max(spent, seconds)
  let at = 0
  const steps = trail.map((each, index): Step => {
    const bar = each.seconds === null ? null : barOf(at, each.seconds, span)
    at += each.seconds ?? 0
    const verdict =
      each.status === 'skipped'
        ? broke !== -1 && index > broke
          ? 'unreached'
          : 'unused'
        : each.status
    return { stage: each.name, verdict, seconds: each.seconds, bar }
  })
  return { steps, span, rest: span - spent }
}

/** What the stream of a check has told so far. */
interface Told {
  readonly stages: readonly Passed[]
  /** The stage that runs now; null where none does, or none was told of. */
  readonly began: Stage | null
}

/**
 * A check that runs: what was told of it, over all stages that its kind may go through. Which stage comes
 * next is not guessed: many a check leaves one out.
 *
 * The rows stand from the start, so that none moves when the next stage comes in. The axis is that of
 * the check before, until this one takes longer.
 */
export function running(
  order: readonly string[],
  { stages: seen, began }: Told,
  before: Fall | null,
): Fall {
  const reached = [...seen.map((each) => each.name), ...(began === null ? [] : [began])]
  const all = [...new Set([...order, ...reached])]
  const furthest = Math.max(-1, ...reached.map((name) => all.indexOf(name)))
  const failed = seen.some((each) => each.status === 'failed')
  const spent = seen.reduce((sum, each) => sum + (each.seconds ?? 0), 0)
  const span = Math.max(spent, before?.span ?? 0)
  let at = 0
  const bars = new Map<string, Step['bar']>()
  for (const each of seen) {
    if (each.seconds !== null) bars.set(each.name, barOf(at, each.seconds, span))
    at += each.seconds ?? 0
  }
  const steps = all.map((name, index): Step => {
    const known = seen.find((each) => each.name === name)
    const verdict =
      name === began
        ? 'running'
        : known === undefined
          ? inLine(index, furthest, failed)
          : told(known)
    return { stage: name, verdict, seconds: known?.seconds ?? null, bar: bars.get(name) ?? null }
  })
  return { steps, span, rest: 0 }
}

const told = (stage: Passed): Verdict => (stage.status === 'skipped' ? 'unused' : stage.status)

function inLine(index: number, furthest: number, failed: boolean): Verdict {
  if (index < furthest) return 'notSoFar'
  return failed ? 'unreached' : 'waiting'
}

function barOf(at: number, seconds: number, span: number): { from: number; width: number } {
  return span > 0 ? { from: at / span, width: seconds / span } : { from: 0, width: 0 }
}

/** The stages that a kind goes through, as its description lists them. */
export const stagesOf = (proves: Readonly<Record<string, string>>): string[] => Object.keys(proves)

/** The stage that a check broke at, in its own trail. */
export const brokenStage = (trail: readonly Passed[]): Stage | null =>
  trail.find((each) => each.status === 'failed')?.name ?? null
