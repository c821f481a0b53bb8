import type { Result, Status } from '#/api/types'
import type { Filters } from './filters'
import { count } from './format'
import { reasonWord } from './reasons'
import { tally } from './report'
import { STATUS_WORD } from './status'

/** What the stream of a check of many tells that matters here. */
export type CheckEvent =
  | { name: 'started'; total: number; paused: number }
  | { name: 'result'; result: Result }
  | { name: 'done' }
  | { name: 'other' }

/** Opens the stream for these targets; aborting the signal closes it, which cancels on the server. */
export type OpenChecks = (ids: readonly number[], signal: AbortSignal) => AsyncIterable<CheckEvent>

type Phase = 'running' | 'done' | 'cancelled' | 'broken'

export interface Progress {
  phase: Phase
  total: number
  results: readonly Result[]
  /** The results that are not up, in the order in which they came. */
  failing: readonly Result[]
  counts: Record<Status, number>
  /** How many are left out because they are paused. */
  paused: number
  /** Why it broke, in words for people. */
  mistake: string | null
}

/** How many ids go into one request: an address has a longest length. */
export const CHUNK = 500
/** Milliseconds between two tellings: thousands of results come faster than anybody reads. */
const TELL_EVERY = 100

/** One run over some targets. Listeners hear of progress now and then, and of the end at once. */
export class TestRun {
  private readonly ids: readonly number[]
  private readonly open: OpenChecks
  private readonly words: (error: unknown) => string
  private readonly stop = new AbortController()
  private readonly listeners = new Set<() => void>()
  private results: Result[] = []
  private total: number
  private paused: number
  private readonly left: number
  private timer: ReturnType<typeof setTimeout> | null = null
  private shown: Progress

  /** `paused`: how many are left out already. */
  constructor(
    ids: readonly number[],
    open: OpenChecks,
    words: (error: unknown) => string,
    paused = 0,
  ) {
    this.ids = ids
    this.total = ids.length
    this.paused = paused
    this.left = paused
    this.open = open
    this.words = words
    this.shown = this.progress('running', null)
  }

  /** Run to the end, which is told by `snapshot` and never raised. */
  async start(): Promise<void> {
    try {
      for (let at = 0; at < this.ids.length; at += CHUNK) {
        // One after the other: the server paces the checks, not the page.
        // oxlint-disable-next-line no-await-in-loop
        await this.chunk(this.ids.slice(at, at + CHUNK))
      }
      this.tell('done', null)
    } catch (error) {
      if (this.stop.signal.aborted) this.tell('cancelled', null)
      else this.tell('broken', this.words(error))
    }
  }

  /** Return another run over the same targets, not yet started. */
  again(): TestRun {
    return new TestRun(this.ids, this.open, this.words, this.left)
  }

  /** Close the stream, which cancels what the server is still testing. */
  cancel(): void {
    this.stop.abort()
  }

  readonly subscribe = (listener: () => void): (() => void) => {
    this.listeners.add(listener)
    return () => this.listeners.delete(listener)
  }

  readonly snapshot = (): Progress => this.shown

  private async chunk(ids: readonly number[]): Promise<void> {
    for await (const event of this.open(ids, this.stop.signal)) {
      if (event.name === 'done') return
      if (event.name === 'started') {
        // What was removed or paused since the page last heard of it.
        this.total += event.total - ids.length
        this.paused += event.paused
        this.soon()
      }
      if (event.name === 'result') this.take(event.result)
    }
    this.stop.signal.throwIfAborted()
    throw new CutOff()
  }

  private take(result: Result): void {
    this.results.push(result)
    this.soon()
  }

  private soon(): void {
    this.timer ??= setTimeout(() => this.tell('running', null), TELL_EVERY)
  }

  private tell(phase: Phase, mistake: string | null): void {
    if (this.timer !== null) clearTimeout(this.timer)
    this.timer = null
    this.shown = this.progress(phase, mistake)
    for (const listener of this.listeners) listener()
  }

  private progress(phase: Phase, mistake: string | null): Progress {
    const results = [...this.results]
    return {
      phase,
      // A target that was removed meanwhile has no result.
      total: phase === 'done' ? results.length : Math.max(this.total, results.length),
      results,
      failing: results.filter((each) => each.status !== 'up'),
      counts: tally(results),
      paused: this.paused,
      mistake,
    }
  }
}

/** The stream ended before it said that it was done. */
class CutOff extends Error {
  constructor() {
    super('The connection to Mooring broke before all results were there.')
    this.name = 'CutOff'
  }
}

/** How a run ended, in a few words, and of how many something is known. Null as long as it goes on. */
export function endWords({ phase, results, total, failing }: Progress): [string, string] | null {
  const tested = `${count(results.length)} of ${count(total)} tested`
  const ends: Record<Phase, [string, string] | null> = {
    running: null,
    done: ['Tested:', `${count(failing.length)} not up`],
    cancelled: ['Cancelled:', tested],
    broken: ['Stopped early:', tested],
  }
  return ends[phase]
}

/** "34 of 120 tested: 30 up, 3 down, 1 unknown". What nobody has is left out. */
export function progressWords(progress: Progress): string {
  const { counts, results, total } = progress
  const parts = (['up', 'degraded', 'down', 'unknown'] as const)
    .filter((status) => counts[status] > 0)
    .map((status) => `${counts[status]} ${status}`)
  const tested = `${results.length} of ${total} tested`
  return parts.length > 0 ? `${tested}: ${parts.join(', ')}` : tested
}

/** Which steps of progress are said aloud: each quarter, so that a screen reader is not talked over. */
export function spokenStep(progress: Progress): number {
  if (progress.total === 0) return 0
  return Math.floor((progress.results.length / progress.total) * 4)
}

/**
 * What a target is and at what it failed, each word once: many a stage is called like the kind or the
 * reason.
 */
export function whatFailed({ target: { kind }, failure }: Result): string[] {
  if (failure === null) return [kind]
  const { stage, reason } = failure
  const why = reasonWord(reason)
  if (stage === null) return [kind, `${why} before any stage`]
  const said = stage === why ? why : `${stage}: ${why}`
  return kind === stage ? [said] : [kind, said]
}

/** What a filtered list shows, as the end of a sentence: "down or unknown; of kind redis; with “web”". */
export function filterWords(filters: Filters): string {
  const { statuses, kinds, labels, q } = filters
  const parts = [
    statuses.map((status) => STATUS_WORD[status].toLowerCase()).join(' or '),
    kinds.length > 0 ? `of kind ${kinds.join(' or ')}` : '',
    labels.length > 0 ? `labelled ${labels.join(', ')}` : '',
    q.trim() === '' ? '' : `with “${q.trim()}”`,
  ]
  return parts.filter((part) => part !== '').join('; ')
}
