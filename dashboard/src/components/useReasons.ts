import { useQuery } from '@tanstack/react-query'

import { useApi } from '#/api/context'
import { reasonsQuery } from '#/api/queries'
import type { AboutReason } from '#/api/types'

const NONE: readonly AboutReason[] = []

/** What the API tells of every reason there is: the page itself knows none. Empty until it is known. */
export const useReasons = (): readonly AboutReason[] =>
  useQuery(reasonsQuery(useApi())).data ?? NONE

/** What the API tells of one reason. */
export const useReason = (reason: string): AboutReason | undefined =>
  useReasons().find(({ name }) => name === reason)
