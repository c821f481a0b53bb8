import { CloseButton, Kbd, Select, TextInput } from '@mantine/core'
import { IconSearch } from '@tabler/icons-react'
import { type RefObject, useMemo } from 'react'

import { useSlash } from '#/components/useSlash'

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
  useSlash(search)
  const clear = () => {
    type('')
    search.current?.focus()
  }
  return (
    <div className={classes.bar}>
      <TextInput
        ref={search}
        className={classes.search}
        role="searchbox"
        aria-label="Search pools"
        aria-keyshortcuts="/"
        placeholder="Service, pool, driver, server, file:line …"
        autoComplete="off"
        spellCheck={false}
        maxLength={200}
        leftSection={<IconSearch size={16} aria-hidden="true" />}
        rightSection={
          filters.q === '' ? (
            <Kbd size="xs" className={classes.key ?? ''}>
              /
            </Kbd>
          ) : (
            <CloseButton aria-label="Clear search" onClick={clear} />
          )
        }
        value={filters.q}
        onChange={(event) => type(event.currentTarget.value)}
        onKeyDown={(event) => {
          if (event.key === 'Escape' && filters.q !== '') clear()
        }}
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
