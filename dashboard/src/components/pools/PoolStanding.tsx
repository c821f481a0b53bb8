import type { Pool } from '#/api/types'
import { isSilent, STANDING_STATUS, STANDING_WORD, standingOf, worstAlert } from '#/lib/pools'
import { Held } from '#/ui/Held'
import { Since } from '#/ui/Since'
import { StatusBadge } from '#/ui/StatusBadge'

interface PoolStandingProps {
  pool: Pool
  stale: boolean
  size?: 'sm' | 'md' | 'lg'
  id?: string
}

/** How a pool stands, by shape, word and colour. */
export function PoolStanding({ pool, stale, size = 'md', id }: PoolStandingProps) {
  const standing = standingOf(pool)
  return (
    <StatusBadge
      id={id}
      status={STANDING_STATUS[standing]}
      word={STANDING_WORD[standing]}
      size={size}
      stale={stale}
    />
  )
}

/** For how long the worst of it is so, or since when nothing was heard. */
export function StandingSince({
  pool,
  stale,
  className,
}: Omit<PoolStandingProps, 'id'> & { className: string | undefined }) {
  const worst = worstAlert(pool)
  if (stale) return <span className={className}>last known</span>
  if (isSilent(pool)) {
    return (
      <span className={className}>
        heard <Since at={pool.heard_at} />
      </span>
    )
  }
  return worst === null ? null : <Held since={worst.since} className={className} />
}
