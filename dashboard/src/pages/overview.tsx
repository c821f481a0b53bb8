import { Button, Stack, Text, Title } from '@mantine/core'
import { useLocalStorage, useMediaQuery } from '@mantine/hooks'
import { IconHistory, IconLinkOff } from '@tabler/icons-react'
import { useQuery } from '@tanstack/react-query'
import { type ReactNode, useCallback, useRef } from 'react'

import { useApi, useLive, useMay } from '#/api/context'
import { overviewQuery } from '#/api/queries'
import type { OverviewRow } from '#/api/types'
import { Feed } from '#/components/overview/Feed'
import { FilterBar } from '#/components/overview/FilterBar'
import { ListSkeleton } from '#/components/overview/ListSkeleton'
import { StatusCounts } from '#/components/overview/StatusCounts'
import { TargetList } from '#/components/overview/TargetList'
import { useFilters } from '#/components/overview/useFilters'
import { useChoices, useLines } from '#/components/overview/useLines'
import { isFresh, Welcome } from '#/components/overview/Welcome'
import { isFiltered } from '#/lib/filters'
import { plural } from '#/lib/format'
import { ErrorNotice } from '#/ui/ErrorNotice'
import { Found } from '#/ui/Found'
import { Note } from '#/ui/Note'
import { usePageTitle } from '#/ui/usePageTitle'

import classes from './overview.module.css'

export function OverviewPage() {
  usePageTitle('Overview')
  const { data, error, refetch, isFetching } = useQuery(overviewQuery(useApi()))
  if (data !== undefined) return <Overview rows={data.targets} />
  return (
    <Stack gap="md">
      <Title order={1}>Overview</Title>
      {error === null ? (
        <ListSkeleton />
      ) : (
        <ErrorNotice
          error={error}
          title="The targets could not be read"
          onRetry={() => void refetch()}
          retrying={isFetching}
        />
      )}
    </Stack>
  )
}

function Overview({ rows }: { rows: readonly OverviewRow[] }) {
  const stale = useLive().phase === 'broken'
  const fresh = isFresh(rows)
  return (
    <WithFeed rows={rows} subtitle={plural(rows.length, 'target')}>
      {fresh && <Welcome rows={rows} />}
      {rows.length > 0 && <Targets rows={rows} stale={stale} />}
    </WithFeed>
  )
}

interface WithFeedProps {
  rows: readonly OverviewRow[]
  subtitle: string
  children: ReactNode
}

/** The feed beside the list where there is room for both, else above it, once asked for. */
function WithFeed({ rows, subtitle, children }: WithFeedProps) {
  const roomy = useMediaQuery('(min-width: 90em)', false, { getInitialValueInEffect: false })
  const [wanted, setWanted] = useLocalStorage<boolean | null>({
    key: 'mooring-feed',
    defaultValue: null,
    getInitialValueInEffect: false,
  })
  const open = roomy ? (wanted ?? true) : wanted === true
  return (
    <div className={classes.page} data-feed={open}>
      <div className={classes.head}>
        <Title order={1}>Overview</Title>
        <Text c="dimmed" size="sm">
          {subtitle}
        </Text>
        <Button
          className={classes.toggle}
          variant="default"
          size="compact-sm"
          leftSection={<IconHistory size={16} aria-hidden="true" />}
          aria-expanded={open}
          aria-controls="changes"
          onClick={() => setWanted(!open)}
        >
          Changes
        </Button>
      </div>
      <aside id="changes" hidden={!open} className={classes.feed} aria-label="Changes">
        {open && (
          <>
            <Title order={2} size="h5" mb="sm">
              What changed
            </Title>
            <Feed rows={rows} />
          </>
        )}
      </aside>
      <div className={classes.main}>{children}</div>
    </div>
  )
}

function Targets({ rows, stale }: { rows: readonly OverviewRow[]; stale: boolean }) {
  const may = useMay()
  const control = useFilters()
  const { filters, unknown, change, fold, clear, forget } = control
  const { lines, counts, found } = useLines(rows, filters)
  const choices = useChoices(rows)
  const search = useRef<HTMLInputElement>(null)
  const wide = useMediaQuery('(min-width: 62em)', true, { getInitialValueInEffect: false })
  const onStatuses = useCallback(
    (statuses: typeof filters.statuses) => change({ statuses }),
    [change],
  )
  const goes = (press: () => void) => () => {
    press()
    search.current?.focus() // the button that was pressed goes
  }
  return (
    <Stack gap="md">
      <StatusCounts counts={counts} chosen={filters.statuses} onChange={onStatuses} stale={stale} />
      <FilterBar control={control} choices={choices} search={search} />
      {unknown.length > 0 && <Unknown sentences={unknown} onForget={goes(forget)} />}
      <Found
        what="target"
        found={found}
        all={rows.length}
        filtered={isFiltered(filters)}
        onClear={goes(clear)}
      />
      {found > 0 && (
        <TargetList
          key={wide ? 'wide' : 'narrow'}
          lines={lines}
          stale={stale}
          may={may}
          wide={wide}
          onFold={fold}
        />
      )}
    </Stack>
  )
}

interface UnknownProps {
  sentences: readonly string[]
  onForget: () => void
}

/** What the address asks for that there is not: without a word the list would seem to be what was asked for. */
function Unknown({ sentences, onForget }: UnknownProps) {
  return (
    <Note
      icon={<IconLinkOff size={16} aria-hidden="true" />}
      text={`${sentences.join(' ')} The list is shown without ${sentences.length === 1 ? 'it' : 'them'}.`}
    >
      <Button variant="default" size="compact-sm" onClick={onForget}>
        Remove from the address
      </Button>
    </Note>
  )
}
