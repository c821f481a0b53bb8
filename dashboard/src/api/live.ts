import type { QueryClient } from '@tanstack/react-query'

import type { Api } from './client'
import type { Transition } from './types'

/**
 * `live`: what is shown is kept true. `connecting`: it is not yet. `broken`: it was, and what is
 * shown is what was last known, `since` a server time in ms.
 */
export type LiveState =
  | { readonly phase: 'connecting'; readonly since: null }
  | { readonly phase: 'live'; readonly since: null }
  | { readonly phase: 'broken'; readonly since: number }

type Hear = (transitions: readonly Transition[]) => void

/** Keeps the cache true by the event stream. */
export class Live {
  state: LiveState = { phase: 'connecting', since: null }
  readonly #watchers = new Set<() => void>()
  readonly #hearers = new Set<Hear>()

  constructor(
    readonly api: Api,
    readonly cache: QueryClient,
  ) {}

  readonly subscribe = (watcher: () => void): (() => void) => {
    this.#watchers.add(watcher)
    return () => this.#watchers.delete(watcher)
  }

  readonly onTransitions = (hear: Hear): (() => void) => {
    this.#hearers.add(hear)
    return () => this.#hearers.delete(hear)
  }

  open(): void {}

  close(): void {}
}
