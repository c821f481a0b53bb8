import { Button, Skeleton, Stack, Title } from '@mantine/core'
import { useQuery, useQueryClient } from '@tanstack/react-query'
import { Link, useParams } from 'react-router'

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
import { usePoolNews } from '#/components/pools/usePoolNews'
import { paths } from '#/lib/paths'
import { poolName } from '#/lib/pools'
import { EmptyState } from '#/ui/EmptyState'
import { ErrorNotice } from '#/ui/ErrorNotice'
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
      <Stack gap="md">
        <PoolHeader
          pool={pool}
          stale={broken || error !== null}
          actions={<PoolActions pool={pool} />}
        />
        <NotNew error={error} readAt={dataUpdatedAt} {...again} />
        <Shown pool={pool} />
      </Stack>
    )
  }
  if (error === null) return <Loading />
  return (
    <>
      <HiddenTitle text="Pool" />
      <ErrorNotice error={error} title="The pool could not be read" {...again} />
    </>
  )
}

const Shown = ({ pool }: { pool: Pool }) => (
  <>
    <Findings pool={pool} />
    <div className={classes.top}>
      <PoolPast id={pool.id} />
      <PoolNow pool={pool} />
    </div>
    <Holders pool={pool} />
    <Leaks pool={pool} />
    <div className={classes.bottom}>
      <Processes pool={pool} />
      <Behind pool={pool} />
    </div>
  </>
)

/** Where the picture tells by itself which page it is, but a heading has to be there to be found. */
const HiddenTitle = ({ text }: { text: string }) => (
  <Title order={1} className="visually-hidden">
    {text}
  </Title>
)

function NotFound() {
  usePageTitle('Not found')
  return (
    <>
      <HiddenTitle text="Not found" />
      <EmptyState
        title="There is no such pool"
        actions={
          <Button component={Link} to={paths.pools()} variant="default">
            All pools
          </Button>
        }
      >
        It was removed, or the address is not quite right.
      </EmptyState>
    </>
  )
}

const Loading = () => (
  <Stack gap="md" role="status" aria-label="Loading the pool">
    <Skeleton height={110} />
    <Skeleton height={360} />
    <Skeleton height={240} />
  </Stack>
)
