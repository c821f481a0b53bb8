import { Stack } from '@mantine/core'
import { useQuery, useQueryClient } from '@tanstack/react-query'
import type { ReactNode } from 'react'
import { useParams } from 'react-router'

import { useApi, useLive } from '#/api/context'
import { ApiError } from '#/api/problem'
import type { Pool } from '#/api/types'
import { Behind } from '#/components/pools/Behind'
import { Findings } from '#/components/pools/Findings'
import { Holders } from '#/components/pools/Holders'
import { Leaks } from '#/components/pools/Leaks'
import { NotNew } from '#/components/pools/NotNew'
import classes from '#/components/pools/pool.module.css'
import { PoolActions } from '#/components/pools/PoolActions'
import { PoolHeader } from '#/components/pools/PoolHeader'
import { PoolNow } from '#/components/pools/PoolNow'
import { PoolPast } from '#/components/pools/PoolPast'
import { Processes } from '#/components/pools/Processes'
import { poolQuery } from '#/components/pools/queries'
import { usePoolPast } from '#/components/pools/usePast'
import { usePoolNews } from '#/components/pools/usePoolNews'
import { paths } from '#/lib/paths'
import { poolName } from '#/lib/pools'
import { ErrorNotice } from '#/ui/ErrorNotice'
import { HiddenTitle } from '#/ui/HiddenTitle'
import { NotThere } from '#/ui/NotThere'
import { PageLoading } from '#/ui/PageLoading'
import { usePageTitle } from '#/ui/usePageTitle'

/** One pool: how full it is, who holds its connections, who leaks them, and what to do. */
export function PoolPage() {
  const word = useParams()['id'] ?? ''
  return /^[1-9]\d{0,14}$/.test(word) ? <PoolOf key={word} id={Number(word)} /> : <NotFound />
}

function PoolOf({ id }: { id: number }) {
  const query = useQuery(poolQuery(useApi(), id, useQueryClient()))
  const { data: pool, error, isFetching, dataUpdatedAt } = query
  const broken = useLive().phase === 'broken'
  usePoolNews((each) => each === id)
  usePageTitle(pool === undefined ? 'Pool' : poolName(pool))
  const again = { onRetry: () => void query.refetch(), retrying: isFetching }
  if (error instanceof ApiError && error.status === 404) return <NotFound />
  if (pool !== undefined) {
    return (
      <Shown pool={pool} stale={broken || error !== null}>
        <NotNew error={error} readAt={dataUpdatedAt} {...again} />
      </Shown>
    )
  }
  if (error === null) return <PageLoading what="pool" heights={[110, 360, 240]} />
  return (
    <>
      <HiddenTitle text="Pool" />
      <ErrorNotice error={error} title="The pool could not be read" {...again} />
    </>
  )
}

interface ShownProps {
  pool: Pool
  stale: boolean
  children: ReactNode
}

function Shown({ pool, stale, children }: ShownProps) {
  const past = usePoolPast(pool.id)
  return (
    <Stack gap="md">
      <PoolHeader
        pool={pool}
        stale={stale}
        actions={<PoolActions pool={pool} window={past.window} />}
      />
      {children}
      <Findings pool={pool} />
      <div className={classes.top}>
        <PoolPast past={past} />
        <PoolNow pool={pool} />
      </div>
      <Holders pool={pool} />
      <Leaks pool={pool} />
      <div className={classes.bottom}>
        <Processes pool={pool} />
        <Behind pool={pool} />
      </div>
    </Stack>
  )
}

const NotFound = () => <NotThere what="pool" to={paths.pools()} />
