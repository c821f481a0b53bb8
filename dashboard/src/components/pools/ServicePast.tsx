import type { Pool } from '#/api/types'

import { PoolPast } from './PoolPast'
import { useServicePast } from './usePast'

interface ServicePastProps {
  service: string
  /** All of the service. */
  pools: readonly Pool[]
}

/** What all pools of a service took over time, against what all of them may. */
export const ServicePast = ({ service, pools }: ServicePastProps) => (
  <PoolPast title={`Use of all pools of ${service}`} past={useServicePast(service)} pools={pools} />
)
