import { Select } from '@mantine/core'
import { type RefObject, useMemo } from 'react'

import { SearchField } from '#/components/SearchField'

import classes from './PoolFilterBar.module.css'
import type { PoolFilterControl } from './usePoolFilters'

interface PoolFilterBarProps {
  control: PoolFilterControl
  services: readonly string[]
  search: RefObject<HTMLInputElement | null>
}

const MOST_CHOICES = 100

/** Search, and one service of all. */
export function PoolFilterBar({ control, services, search }: PoolFilterBarProps) {
  const { filters, type, choose } = control
  // What the address names stays to be seen, and to be taken out, though no pool has it any longer.
  const choices = useMemo(
    () => [...new Set([...services, filters.service])].filter((service) => service !== ''),
    [services, filters.service],
  )
  return (
    <div className={classes.bar}>
      <SearchField
        field={search}
        label="Search pools"
        placeholder="Service, pool, driver, server, file:line …"
        value={filters.q}
        onType={type}
        className={classes.search}
      />
      <Select
        className={classes.choice}
        aria-label="Filter by service"
        placeholder="All services"
        data={choices}
        value={filters.service === '' ? null : filters.service}
        onChange={(service) => choose(service ?? '')}
        searchable
        clearable
        clearButtonProps={{ 'aria-label': 'Show all services' }}
        limit={MOST_CHOICES}
        nothingFoundMessage="No such service"
      />
    </div>
  )
}
