import type { QueryClient } from '@tanstack/react-query'

import { Merger } from '#/lib/overview'

import { keys } from './queries'
import type { Monitoring, Overview, OverviewRow, Transition } from './types'

/** How often the page is drawn anew, at most, however much comes: in milliseconds. */
const BATCH = 200

/** An event `rows` of the stream. */
export interface Rows {
  readonly revision: number
  readonly rows: readonly OverviewRow[]
  readonly removed: readonly number[]
  readonly transitions: readonly Transition[]
}

/** Brings what the stream tells into the cached overview, in batches. */
export class Patches {
  #waiting: Rows[] = []
  #held = false
  #timer: ReturnType<typeof setTimeout> | undefined
  #last = 0
  readonly #merger = new Merger()

  constructor(
    private readonly cache: QueryClient,
    private readonly tell: (transitions: readonly Transition[]) => void,
  ) {}

  /** Keep what comes, until the overview that it belongs to is there. */
  hold(): void {
    this.#held = true
    clearTimeout(this.#timer)
    this.#timer = undefined
  }

  /** The overview is there: take over what came meanwhile and is not in it yet. */
  release(): void {
    this.#held = false
    this.#flush()
  }

  /** Forget what came and was not taken over: it came before what will be read anew. */
  drop(): void {
    this.hold()
    this.#waiting = []
  }

  push(rows: Rows): void {
    this.#waiting.push(rows)
    if (this.#held || this.#timer !== undefined) return
    const wait = Math.max(0, this.#last + BATCH - performance.now())
    this.#timer = setTimeout(() => this.#flush(), wait)
  }

  monitoring(monitoring: Monitoring): void {
    this.cache.setQueryData<Overview>(keys.overview, (old) => old && { ...old, monitoring })
  }

  #flush(): void {
    this.#timer = undefined
    const overview = this.cache.getQueryData<Overview>(keys.overview)
    const waiting = this.#waiting
    this.#waiting = []
    if (overview === undefined) return
    this.#last = performance.now()
    // A commit can be in the overview in part only: that of the same revision is taken over once more.
    const news = waiting.filter(({ revision }) => revision >= overview.revision)
    if (news.length === 0) return
    const changes = joined(news)
    this.cache.setQueryData<Overview>(keys.overview, this.#merger.merge(overview, changes))
    this.#invalidate(new Set([...changes.rows.keys(), ...changes.removed]))
    const transitions = news.flatMap((each) => each.transitions)
    if (transitions.length > 0) this.tell(transitions)
  }

  /** What else is cached of these targets is old now; what is being shown is read anew. */
  #invalidate(ids: ReadonlySet<number>): void {
    void this.cache.invalidateQueries({
      predicate: ({ queryKey: [what, id] }) =>
        what === keys.target(0)[0] && typeof id === 'number' && ids.has(id),
    })
  }
}

/** Several commits as one: of each target, what came last. */
function joined(news: readonly Rows[]) {
  const rows = new Map<number, OverviewRow>()
  const removed = new Set<number>()
  let revision = 0
  for (const each of news) {
    revision = Math.max(revision, each.revision)
    for (const row of each.rows) {
      rows.set(row.id, row)
      removed.delete(row.id)
    }
    for (const id of each.removed) {
      rows.delete(id)
      removed.add(id)
    }
  }
  return { revision, rows, removed }
}
