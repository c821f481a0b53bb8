import type { QueryClient } from '@tanstack/react-query'

import { backoff } from '#/lib/backoff'

import { type Api, apiUrl } from './client'
import { Patches, type Rows } from './patches'
import { keys, overviewQuery } from './queries'
import { events } from './sse'
import type { Monitoring, Transition } from './types'
import { Watchdog } from './watchdog'

/**
 * `live`: what is shown is kept true. `connecting`: it is not yet. `broken`: it was, and what is
 * shown is what was last known, `since` a server time in ms.
 */
export type LiveState =
  | { readonly phase: 'connecting'; readonly since: null }
  | { readonly phase: 'live'; readonly since: null }
  | { readonly phase: 'broken'; readonly since: number }

type Hear = (transitions: readonly Transition[]) => void

/** An event `state` of the stream. */
interface State {
  readonly revision: number
  readonly now: string
  readonly monitoring: Monitoring
}

/** The server says something every 5 s. */
const PATIENCE = 12_000

/** Keeps the cached overview true by the event stream, and says whether it is. */
export class Live {
  state: LiveState = { phase: 'connecting', since: null }
  #open: AbortController | null = null
  #connection: AbortController | null = null
  #failures = 0
  /** Whether the next connection is to be opened without a wait. */
  #hasty = false
  #reading = 0
  #heardAt: number | null = null
  #wake: () => void = () => undefined
  readonly #watchers = new Set<() => void>()
  readonly #hearers = new Set<Hear>()
  readonly #patches: Patches
  readonly #watchdog = new Watchdog(PATIENCE, () => {
    this.#hasty = true
    this.#connection?.abort()
  })

  constructor(
    readonly api: Api,
    readonly cache: QueryClient,
  ) {
    this.#patches = new Patches(cache, (transitions) => {
      for (const hear of this.#hearers) hear(transitions)
    })
  }

  readonly subscribe = (watcher: () => void): (() => void) => {
    this.#watchers.add(watcher)
    return () => this.#watchers.delete(watcher)
  }

  readonly onTransitions = (hear: Hear): (() => void) => {
    this.#hearers.add(hear)
    return () => this.#hearers.delete(hear)
  }

  /** Connect, and again whenever the connection breaks, until `close`. */
  open(): void {
    if (this.#open !== null) return
    this.#open = new AbortController()
    this.#failures = 0
    this.#heardAt = null
    this.#enter({ phase: 'connecting', since: null })
    document.addEventListener('visibilitychange', this.hurry)
    window.addEventListener('online', this.hurry)
    void this.#run(this.#open.signal)
  }

  close(): void {
    document.removeEventListener('visibilitychange', this.hurry)
    window.removeEventListener('online', this.hurry)
    this.#open?.abort()
    this.#open = null
    this.#connection?.abort()
    this.#watchdog.stop()
    this.#patches.drop()
    this.#wake()
  }

  async #run(closed: AbortSignal): Promise<void> {
    while (!closed.aborted) {
      const connection = new AbortController()
      this.#connection = connection
      /* oxlint-disable no-await-in-loop -- one connection after the other */
      await this.#listen(connection).catch(() => undefined)
      connection.abort()
      if (closed.aborted) return
      this.#watchdog.stop()
      this.#patches.drop()
      if (this.state.phase !== 'broken') {
        this.#enter({ phase: 'broken', since: this.#heardAt ?? this.api.clock.now() })
      }
      if (!this.#hasty) await this.#pause()
      this.#hasty = false
    }
  }

  async #listen(connection: AbortController): Promise<void> {
    const headers = { Accept: 'text/event-stream' }
    const address = apiUrl('api/v1/events?view=overview')
    this.#patches.drop()
    this.#watchdog.start()
    const { signal } = connection
    const answer = await this.api.fetch(new Request(address, { headers, signal }))
    let begun = false
    for await (const { event, data } of events(answer)) {
      if (signal.aborted) return
      this.#watchdog.feed()
      this.#heardAt = this.api.clock.now()
      if (event === 'rows') this.#patches.push(JSON.parse(data) as Rows)
      else if (event === 'lagged') this.#catchUp(connection)
      else if (event === 'state') {
        const state = JSON.parse(data) as State
        this.api.clock.heed(state.now)
        if (begun) this.#patches.monitoring(state.monitoring)
        else this.#catchUp(connection, state.revision)
        begun = true
      }
    }
  }

  /** Read the overview, and then take over what came meanwhile. `revision`: what has to be in it. */
  #catchUp(connection: AbortController, revision = Infinity): void {
    this.#patches.hold()
    this.#reading += 1
    const turn = this.#reading
    this.#read(revision).then(
      () => {
        if (connection.signal.aborted || turn !== this.#reading) return
        this.#failures = 0
        this.#patches.release()
        this.#enter({ phase: 'live', since: null })
      },
      () => {
        if (turn === this.#reading) connection.abort()
      },
    )
  }

  async #read(revision: number): Promise<void> {
    const query = overviewQuery(this.api)
    if (this.state.phase === 'connecting') {
      // The page has asked for it already: that will do, unless something was committed before the
      // stream began and after the overview was made.
      const first = await this.cache.fetchQuery({ ...query, staleTime: Infinity })
      if (first.revision >= revision) return
    }
    await this.cache.cancelQueries({ queryKey: keys.overview })
    await this.cache.fetchQuery({ ...query, staleTime: 0 })
    if (this.state.phase !== 'connecting') this.#refresh()
  }

  /** What was read before the connection broke may have changed since. */
  #refresh(): void {
    const kept = new Set<unknown>([keys.overview[0], keys.session[0]])
    void this.cache.invalidateQueries({ predicate: ({ queryKey: [what] }) => !kept.has(what) })
  }

  #pause(): Promise<void> {
    const wait = backoff(this.#failures, Math.random())
    this.#failures += 1
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, wait)
      this.#wake = () => {
        clearTimeout(timer)
        resolve()
      }
    })
  }

  /** The network is back, or somebody looks or signs in again: that is no time to wait. */
  readonly hurry = (): void => {
    if (document.hidden) return
    this.#failures = 0
    this.#wake()
  }

  #enter(state: LiveState): void {
    this.state = state
    for (const watcher of this.#watchers) watcher()
  }
}
