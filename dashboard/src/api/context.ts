import { useQuery } from '@tanstack/react-query'
import { createContext, use, useEffect, useEffectEvent, useSyncExternalStore } from 'react'

import { Clock } from '#/lib/clock'

import type { Api } from './client'
import type { Live, LiveState } from './live'
import { sessionQuery } from './queries'
import type { Role, Session, Transition } from './types'

export const ApiContext = createContext<Api | null>(null)
export const LiveContext = createContext<Live | null>(null)
/** A clock of its own where nobody gave one: what only shows times needs no server. */
export const ClockContext = createContext(new Clock())

export function useApi(): Api {
  const api = use(ApiContext)
  if (api === null) throw new Error('useApi() needs an ApiContext above it')
  return api
}

/** Who is signed in; undefined where nobody is. */
export const useSession = (): Session | undefined => useQuery(sessionQuery(useApi())).data

/** What the signed-in role may do. Who may not, is not shown the control. */
export interface May {
  /** Test targets, ad hoc ones too. */
  readonly test: boolean
  /** Add, edit, pause and remove targets. */
  readonly edit: boolean
  /** Make and revoke tokens. */
  readonly administer: boolean
}

export const MAY: Record<Role, May> = {
  reporter: { test: false, edit: false, administer: false }, // signs nobody in
  viewer: { test: false, edit: false, administer: false },
  operator: { test: true, edit: true, administer: false },
  admin: { test: true, edit: true, administer: true },
}

export const useMay = (): May => MAY[useSession()?.role ?? 'viewer']

const STILL: LiveState = { phase: 'connecting', since: null }
const never = () => () => undefined

/** Whether what is shown is kept true by the event stream. `since`: when it broke, in server ms. */
export function useLive(): LiveState {
  const live = use(LiveContext)
  return useSyncExternalStore(live?.subscribe ?? never, () => live?.state ?? STILL)
}

/** Hear of changes of health as they come, several at once where they came together. */
export function useTransitions(hear: (transitions: readonly Transition[]) => void): void {
  const live = use(LiveContext)
  const heard = useEffectEvent(hear)
  useEffect(() => live?.onTransitions((transitions) => heard(transitions)), [live])
}

/** What `select` makes of the server's time: drawn anew only when that changes. */
export function useAtNow<T extends string | number | boolean | null>(
  select: (now: number) => T,
): T {
  const clock = use(ClockContext)
  return useSyncExternalStore(clock.subscribe, () => select(clock.read()))
}
