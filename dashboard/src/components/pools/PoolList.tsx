import type { Pool } from '#/api/types'
import { Grid } from '#/components/list/Grid'
import rowClasses from '#/components/overview/Row.module.css'

import classes from './PoolList.module.css'
import { PoolRow } from './PoolRow'

interface PoolListProps {
  pools: readonly Pool[]
  stale: boolean
  wide: boolean
}

const WIDE = [
  'Standing',
  'Pool',
  'In use',
  'Waiting',
  'Peak',
  'Timeouts',
  'Leaks',
  'What is wrong',
] as const
const NARROW = ['Pool and standing', 'In use', 'Counts', 'Leaks', 'What is wrong'] as const

interface Height {
  /** Of a pool of which there is nothing to say. */
  well: number
  /** What leaks, and what is wrong, take beyond that. */
  leaks: number
  wrong: number
}

const HEIGHT: Record<'wide' | 'narrow', Height> = {
  wide: { well: 52, leaks: 0, wrong: 28 },
  narrow: { well: 80, leaks: 17, wrong: 68 },
}

const heightIn =
  ({ well, leaks, wrong }: Height) =>
  (pool: Pool): number =>
    well + (pool.leaks.length > 0 ? leaks : 0) + (pool.alerts.length > 0 ? wrong : 0)
const HEIGHT_OF = { wide: heightIn(HEIGHT.wide), narrow: heightIn(HEIGHT.narrow) }

const keyOf = ({ id }: Pool): string => String(id)

/** The pools, in a grid like that of the targets. */
export function PoolList({ pools, stale, wide }: PoolListProps) {
  const shape = wide ? 'wide' : 'narrow'
  const { well, wrong } = HEIGHT[shape]
  return (
    <Grid
      label="Pools"
      headings={wide ? WIDE : NARROW}
      wide={wide}
      className={wide ? classes.wide : undefined}
      page={well + wrong}
      lines={pools}
      keyOf={keyOf}
      heightOf={HEIGHT_OF[shape]}
      lookOf={() => ({ className: rowClasses[wide ? 'row' : 'card'] })}
    >
      {(pool, stop) => <PoolRow pool={pool} stale={stale} wide={wide} stop={stop} />}
    </Grid>
  )
}
