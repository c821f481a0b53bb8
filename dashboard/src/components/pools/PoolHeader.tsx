import { Anchor, Badge, Group, Title } from '@mantine/core'
import { IconArrowLeft } from '@tabler/icons-react'
import type { ReactNode } from 'react'
import { Link } from 'react-router'

import type { Pool } from '#/api/types'
import header from '#/components/target/TargetHeader.module.css'
import { paths } from '#/lib/paths'
import { isSilent, poolName, reportedWords } from '#/lib/pools'
import { Parts } from '#/ui/Parts'
import { Since } from '#/ui/Since'

import { PoolStanding, StandingSince } from './PoolStanding'

interface PoolHeaderProps {
  pool: Pool
  stale: boolean
  actions: ReactNode
}

/** Which pool it is, how it stands, and what can be done with it. */
export function PoolHeader({ pool, stale, actions }: PoolHeaderProps) {
  return (
    <header>
      <Anchor component={Link} to={paths.pools()} size="sm" c="dimmed">
        <Group gap={4} component="span" mb="xs">
          <IconArrowLeft size={14} aria-hidden="true" /> All pools
        </Group>
      </Anchor>
      <div className={header.head}>
        <div className={header.title}>
          <Title order={1} className={header.name ?? ''} title={poolName(pool)}>
            <bdi>{poolName(pool)}</bdi>
          </Title>
          <div className={header.line}>
            <PoolStanding pool={pool} stale={stale} size="lg" />
            {stale ? (
              <Badge color="gray" tt="none">
                last known
              </Badge>
            ) : (
              <StandingSince pool={pool} stale={false} className={undefined} />
            )}
          </div>
          <div className={header.line}>
            <Parts>
              <span>{pool.driver}</span>
              {pool.address !== null && (
                <span className={header.address}>
                  {pool.address}
                  {pool.database !== null && `/${pool.database}`}
                </span>
              )}
              <span>{reportedWords(pool)}</span>
              {!isSilent(pool) && (
                <span>
                  heard <Since at={pool.heard_at} />
                </span>
              )}
              <Anchor component={Link} to={paths.target(pool.id)} inherit>
                As a target
              </Anchor>
              <Anchor component={Link} to={paths.pools(pool.service)} inherit>
                Its service
              </Anchor>
            </Parts>
          </div>
        </div>
        {actions}
      </div>
    </header>
  )
}
