import { useQuery, type UseQueryResult } from '@tanstack/react-query'

import { useApi } from '#/api/context'
import type { PoolHistory } from '#/api/types'
import { useWindow } from '#/components/past/useWindow'
import { FIT, POOL_WINDOWS, type PoolWindow } from '#/lib/window'

import { type AskedWindow, poolPastQuery, servicePastQuery, shownWindow } from './queries'

/** What is read of the past, and how far back. */
export interface Past {
  readonly query: UseQueryResult<PoolHistory>
  /** The one that the address names, else the one that the server chose; null while that is not known. */
  readonly window: PoolWindow | null
  readonly choose: (next: string) => void
}

/** A pool's past. */
export function usePoolPast(id: number): Past {
  const [asked, choose] = useWindow(POOL_WINDOWS, FIT)
  const query = useQuery(poolPastQuery(useApi(), id, asked))
  return { query, window: shown(asked, query.data), choose }
}

/** The past of all pools of a service, added up. */
export function useServicePast(service: string): Past {
  const [asked, choose] = useWindow(POOL_WINDOWS, FIT)
  const query = useQuery(servicePastQuery(useApi(), service, asked))
  return { query, window: shown(asked, query.data), choose }
}

function shown(asked: AskedWindow, past: PoolHistory | undefined): PoolWindow | null {
  if (asked !== FIT) return asked
  return past === undefined ? null : shownWindow(past)
}
