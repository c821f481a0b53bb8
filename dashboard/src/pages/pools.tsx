import { Skeleton, Stack, Text, Title } from '@mantine/core'
import { useMediaQuery } from '@mantine/hooks'
import { useQuery } from '@tanstack/react-query'
import { useMemo, useRef } from 'react'
import { useSearchParams } from 'react-router'

import { useApi, useLive } from '#/api/context'
import type { Pool } from '#/api/types'
import { ExportMenu, METRICS } from '#/components/pools/ExportMenu'
import { NotNew } from '#/components/pools/NotNew'
import { PoolFilterBar } from '#/components/pools/PoolFilterBar'
import { PoolList } from '#/components/pools/PoolList'
import { PoolsBegin } from '#/components/pools/PoolsBegin'
import { ServicePast } from '#/components/pools/ServicePast'
import { poolsQuery } from '#/components/pools/queries'
import { usePoolFilters } from '#/components/pools/usePoolFilters'
import { usePoolNews } from '#/components/pools/usePoolNews'
import { filterPools, poolsWords, readPoolFilters, servicesOf, worstFirst } from '#/lib/pools'
import { FIT, POOL_WINDOWS, windowOf } from '#/lib/window'
import { ErrorNotice } from '#/ui/ErrorNotice'
import { Found } from '#/ui/Found'
import { usePageTitle } from '#/ui/usePageTitle'

import classes from './pools.module.css'

const FILES = [
  { words: 'JSON: all pools as they stand', path: 'api/v1/pools', name: 'pools.json' },
  { words: 'CSV: all pools as they stand', path: 'api/v1/pools?format=csv', name: 'pools.csv' },
]

/** Every pool that a program reports, the worst first. */
export function PoolsPage() {
  usePageTitle('Pools')
  const query = useQuery(poolsQuery(useApi()))
  const { data: pools, error, refetch, isFetching, dataUpdatedAt } = query
  const broken = useLive().phase === 'broken'
  usePoolNews((id) => pools?.some((pool) => pool.id === id) ?? false)
  const again = { onRetry: () => void refetch(), retrying: isFetching }
  return (
    <Stack gap="md">
      <div className={classes.head}>
        <Title order={1}>Pools</Title>
        {pools !== undefined && pools.length > 0 && (
          <>
            <Text c="dimmed" size="sm" className={classes.words ?? ''}>
              {poolsWords(pools)}
            </Text>
            <div className={classes.export}>
              <Export pools={pools} />
            </div>
          </>
        )}
      </div>
      {pools !== undefined && <NotNew error={error} readAt={dataUpdatedAt} {...again} />}
      {pools === undefined && error === null && <Loading />}
      {pools === undefined && error !== null && (
        <ErrorNotice error={error} title="The pools could not be read" {...again} />
      )}
      {pools?.length === 0 && <PoolsBegin />}
      {pools !== undefined && pools.length > 0 && (
        <Pools pools={pools} stale={broken || error !== null} />
      )}
    </Stack>
  )
}

/** All pools, and of a service that is chosen the past that is shown. */
function Export({ pools }: { pools: readonly Pool[] }) {
  const [params] = useSearchParams()
  const { service } = readPoolFilters(params)
  const known = pools.some((pool) => pool.service === service)
  const window = windowOf(params.get('window'), POOL_WINDOWS, FIT)
  const query = new URLSearchParams({ service, window, format: 'csv' }).toString()
  const past = {
    words: 'CSV: the past of the service',
    path: `api/v1/pools/history?${query}`,
    name: `${service}-${window === FIT ? 'past' : window}.csv`,
  }
  return <ExportMenu files={[...FILES, ...(known ? [past] : []), METRICS]} size="compact-sm" />
}

const ROWS = ['a', 'b', 'c', 'd', 'e', 'f']

const Loading = () => (
  <Stack role="status" aria-label="Loading the pools" gap="xs">
    <Skeleton height={36} mb="xs" />
    {ROWS.map((key) => (
      <Skeleton key={key} height={60} />
    ))}
  </Stack>
)

function Pools({ pools, stale }: { pools: readonly Pool[]; stale: boolean }) {
  const control = usePoolFilters()
  const { filters, clear } = control
  const search = useRef<HTMLInputElement>(null)
  const wide = useMediaQuery('(min-width: 68em)', true, { getInitialValueInEffect: false })
  const sorted = useMemo(() => worstFirst(pools), [pools])
  const found = useMemo(() => filterPools(sorted, filters), [sorted, filters])
  const services = useMemo(() => servicesOf(pools), [pools])
  const chosen = pools.filter(({ service }) => service === filters.service)
  const onClear = () => {
    clear()
    search.current?.focus() // the button that was pressed goes
  }
  return (
    <>
      <PoolFilterBar control={control} services={services} search={search} />
      {chosen.length > 0 && (
        <ServicePast key={filters.service} service={filters.service} pools={chosen} />
      )}
      <Found
        what="pool"
        found={found.length}
        all={pools.length}
        filtered={filters.q.trim() !== '' || filters.service !== ''}
        onClear={onClear}
      />
      {found.length > 0 && (
        <PoolList key={wide ? 'wide' : 'narrow'} pools={found} stale={stale} wide={wide} />
      )}
    </>
  )
}
