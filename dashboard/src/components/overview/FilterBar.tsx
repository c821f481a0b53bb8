import { Button, Collapse, MultiSelect, Select } from '@mantine/core'
import { useDisclosure, useMediaQuery } from '@mantine/hooks'
import { IconAdjustmentsHorizontal } from '@tabler/icons-react'
import { memo, type RefObject } from 'react'

import { SearchField } from '#/components/SearchField'
import type { Choices, Filters } from '#/lib/filters'
import { isSort, SORT_WORD, SORTS } from '#/lib/rows'

import classes from './FilterBar.module.css'
import type { FilterControl } from './useFilters'

interface FilterBarProps {
  control: FilterControl
  choices: Choices
  search: RefObject<HTMLInputElement | null>
}

/** Search, filters, groups and order. */
export function FilterBar({ control, choices, search }: FilterBarProps) {
  const { filters, change } = control
  const narrow = useMediaQuery('(max-width: 48em)', false)
  const [open, { toggle }] = useDisclosure(false)
  const used = filters.kinds.length + filters.labels.length + (filters.group === '' ? 0 : 1)
  const selects = <Selects filters={filters} change={change} choices={choices} />
  return (
    <div className={classes.bar}>
      <SearchField
        field={search}
        label="Search targets"
        placeholder="Name, address, label, reason …"
        value={filters.q}
        onType={control.type}
        className={classes.search}
      />
      {narrow ? (
        <>
          <Button
            variant="default"
            leftSection={<IconAdjustmentsHorizontal size={16} aria-hidden="true" />}
            aria-expanded={open}
            onClick={toggle}
          >
            {used > 0 ? `Filters (${used})` : 'Filters'}
          </Button>
          <Collapse expanded={open} className={classes.more}>
            <div className={classes.stack}>{selects}</div>
          </Collapse>
        </>
      ) : (
        selects
      )}
    </div>
  )
}

const MOST_CHOICES = 100
const PARTS = { pill: classes.pill ?? '', inputField: classes.field ?? '' }

interface SelectsProps {
  filters: Filters
  change: FilterControl['change']
  choices: Choices
}

const Selects = memo(function Selects({ filters, change, choices }: SelectsProps) {
  // What the address names stays to be seen, and to be taken out, though no target has it any longer.
  const kinds = [...new Set([...choices.kinds, ...filters.kinds])]
  const labels = [...new Set([...choices.labels, ...filters.labels])]
  return (
    <>
      <MultiSelect
        className={classes.choice}
        classNames={PARTS}
        aria-label="Filter by kind"
        placeholder={filters.kinds.length === 0 ? 'All kinds' : ''}
        data={kinds}
        value={[...filters.kinds]}
        onChange={(chosen) => change({ kinds: chosen })}
        searchable
        limit={MOST_CHOICES}
        nothingFoundMessage="No such kind"
      />
      <MultiSelect
        className={classes.choice}
        classNames={PARTS}
        aria-label="Filter by label"
        placeholder={filters.labels.length === 0 ? 'All labels' : ''}
        data={labels}
        value={[...filters.labels]}
        onChange={(chosen) => change({ labels: chosen })}
        searchable
        limit={MOST_CHOICES}
        nothingFoundMessage="No such label"
      />
      <Select
        className={classes.small}
        aria-label="Group"
        data={groupings(filters.group, choices.labelKeys)}
        value={filters.group}
        onChange={(group) => change({ group: group ?? '', folded: [] })}
        allowDeselect={false}
      />
      <Select
        className={classes.small}
        aria-label="Order"
        data={SORTS.map((value) => ({ value, label: SORT_WORD[value] }))}
        value={filters.sort}
        onChange={(sort) => change({ sort: isSort(sort) ? sort : 'worst' })}
        allowDeselect={false}
      />
    </>
  )
})

function groupings(chosen: string, labelKeys: readonly string[]) {
  const values = new Set(['', 'kind', ...labelKeys.map((key) => `label:${key}`), chosen])
  return [...values].map((value) => ({ value, label: groupingWord(value) }))
}

function groupingWord(group: string): string {
  if (group === '') return 'No groups'
  return group === 'kind' ? 'By kind' : `By label ${group.slice('label:'.length)}`
}
