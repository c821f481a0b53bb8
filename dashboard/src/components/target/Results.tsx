import { Button, Group, Select, Text } from '@mantine/core'
import { useDocumentVisibility } from '@mantine/hooks'
import { useInfiniteQuery } from '@tanstack/react-query'
import { useState } from 'react'
import { useSearchParams } from 'react-router'

import { useApi } from '#/api/context'
import type { Kind } from '#/api/types'
import { useReasons } from '#/components/useReasons'
import { resultKey } from '#/lib/history'
import { reasonTitle, reasonWord } from '#/lib/reasons'
import { STATUS_WORD, STATUSES } from '#/lib/status'

import classes from './lists.module.css'
import { PagedList } from './PagedList'
import { type ResultFilter, resultsQuery } from './queries'
import { ResultRow } from './ResultRow'
import { Section } from './Section'

interface ResultsProps {
  id: number
  kind: Kind | undefined
  /** When the newest check was, as the target tells. */
  newest: string | null
}

/** Each check that is kept one by one, newest first; the filter stands in the URL. */
export function Results({ id, kind, newest }: ResultsProps) {
  const [search, setSearch] = useSearchParams()
  const filter = filterOf(search)
  const [open, setOpen] = useState<ReadonlySet<string>>(new Set())
  const { query, later, catchUp } = useResults(id, filter, newest, open.size > 0)
  const set = (key: string, value: string | null) =>
    setSearch((before) => withParam(before, key, value), {
      replace: true,
      preventScrollReset: true,
    })
  const toggle = (key: string) =>
    setOpen((before) => (before.has(key) ? without(before, key) : new Set([...before, key])))
  return (
    <Section title="Results" aside={<Filters filter={filter} set={set} />}>
      {later && (
        <Button mb="xs" size="compact-sm" variant="light" onClick={catchUp}>
          Show newer results
        </Button>
      )}
      <PagedList query={query} what="results" height={240} empty={<Nothing filter={filter} />}>
        {(results) => (
          <ol
            className={`${classes['list']} ${classes['rows']}`}
            aria-label="Results, newest first"
          >
            {results.map((each) => (
              <ResultRow
                key={resultKey(each)}
                result={each}
                kind={kind}
                open={open.has(resultKey(each))}
                onToggle={() => toggle(resultKey(each))}
              />
            ))}
          </ol>
        )}
      </PagedList>
    </Section>
  )
}

/**
 * The list follows the newest check, but only while somebody looks at its beginning: with more of it
 * loaded, or one of its rows open, it would move away below the reader. Then it waits to be asked.
 */
function useResults(id: number, filter: ResultFilter, newest: string | null, reading: boolean) {
  const [until, setUntil] = useState(newest)
  const visible = useDocumentVisibility() === 'visible'
  const query = useInfiniteQuery(resultsQuery(useApi(), id, filter, until))
  const follows = visible && !reading && (query.data?.pages.length ?? 0) <= 1
  if (follows && until !== newest) setUntil(newest)
  return {
    query,
    later: visible && !follows && until !== newest,
    catchUp: () => setUntil(newest),
  }
}

function Filters({
  filter,
  set,
}: {
  filter: ResultFilter
  set: (key: string, value: string | null) => void
}) {
  return (
    <Group gap="xs" wrap="nowrap">
      <Select
        aria-label="Status of the results"
        placeholder="Any status"
        size="xs"
        flex="0 1 8.5rem"
        miw={0}
        clearable
        value={filter.status}
        onChange={(value) => set('status', value)}
        data={STATUSES.map((value) => ({ value, label: STATUS_WORD[value] }))}
      />
      <Select
        aria-label="Reason of the results"
        placeholder="Any reason"
        size="xs"
        flex="0 1 11rem"
        miw={0}
        clearable
        searchable
        comboboxProps={{ width: 'max-content', position: 'bottom-end' }}
        value={filter.reason}
        onChange={(value) => set('reason', value)}
        data={useReasonChoices(filter.reason)}
      />
    </Group>
  )
}

/** All reasons there are, and the chosen one even if it is none of them, so that it can be seen and cleared. */
function useReasonChoices(chosen: string | null) {
  const known = useReasons().map((about) => ({
    value: about.name as string,
    label: `${reasonWord(about.name)}: ${reasonTitle(about.name, about)}`,
  }))
  const strange = chosen !== null && known.every(({ value }) => value !== chosen)
  return strange ? [{ value: chosen, label: reasonWord(chosen) }, ...known] : known
}

function Nothing({ filter }: { filter: ResultFilter }) {
  const filtered = filter.status !== null || filter.reason !== null
  return (
    <Text c="dimmed">
      {filtered ? 'No result that is kept passes this filter.' : 'There is no result yet.'}
    </Text>
  )
}

function filterOf(search: URLSearchParams): ResultFilter {
  const [status, reason] = [search.get('status'), search.get('reason')]
  return {
    status: STATUSES.find((each) => each === status) ?? null,
    reason: reason || null,
  }
}

function withParam(before: URLSearchParams, key: string, value: string | null): URLSearchParams {
  const after = new URLSearchParams(before)
  if (value === null) after.delete(key)
  else after.set(key, value)
  return after
}

const without = (set: ReadonlySet<string>, key: string): ReadonlySet<string> =>
  new Set([...set].filter((each) => each !== key))
