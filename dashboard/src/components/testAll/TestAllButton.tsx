import { Button, Loader } from '@mantine/core'
import { IconPlayerPlay } from '@tabler/icons-react'
import { useQuery } from '@tanstack/react-query'
import { useEffect, useState } from 'react'
import { useLocation } from 'react-router'

import { useApi, useMay } from '#/api/context'
import { isSignedOut } from '#/api/problem'
import { overviewQuery } from '#/api/queries'
import type { OverviewRow } from '#/api/types'
import { filterRows, isFiltered, readFilters } from '#/lib/filters'
import { count } from '#/lib/format'
import { paths } from '#/lib/paths'
import { endWords, filterWords, TestRun } from '#/lib/testAll'

import classes from './testAll.module.css'
import { TestAllDialog } from './TestAllDialog'
import { type Asked, openChecks, useProgress } from './run'

/** Tests all targets, or those that the list shows, and shows how it goes in a dialog. */
export function TestAllButton() {
  const may = useMay()
  const scope = useScope()
  const [asked, setAsked] = useState<Asked | null>(null)
  const [opened, setOpened] = useState(false)
  const [start, ask] = useStart(setAsked)
  useEffect(() => () => asked?.run.cancel(), [asked])
  if (!may.test) return null
  const begin = (rows: readonly OverviewRow[], words: string | null) => {
    const running = rows.filter((row) => row.enabled).map((row) => row.id)
    start(running, words, rows.length - running.length)
    setOpened(true)
  }
  // Closed while it runs it goes on, and the button shows how far it is.
  const forget = () => {
    if (asked?.run.snapshot().phase !== 'running') setAsked(null)
  }
  const idle = asked === null
  const nothing = idle && scope !== null ? whyNothing(scope) : null
  const press = () => {
    if (!idle) setOpened(true)
    else if (scope !== null && nothing === null) begin(scope.rows, scope.words)
  }
  return (
    <>
      {/* One button throughout: the dialog gives the focus back to it. */}
      <Button
        size="xs"
        variant="default"
        classNames={{ root: classes.button, section: classes.icon }}
        leftSection={idle ? <PlayIcon /> : <Turning run={asked.run} />}
        disabled={idle && scope === null}
        // Not disabled, so that it keeps the focus and can say why.
        aria-disabled={nothing !== null}
        data-disabled={nothing !== null || undefined}
        title={nothing ?? undefined}
        onClick={press}
      >
        {idle ? <Offer scope={scope} /> : <GoingOn run={asked.run} />}
      </Button>
      <TestAllDialog
        asked={asked}
        opened={opened}
        onClose={() => setOpened(false)}
        onGone={forget}
        onFailing={(ids) => start(ids, 'Again: those that were not up', 0)}
        onAgain={({ run, words }) => ask({ run: run.again(), words })}
        onAll={scope === null ? null : () => begin(scope.all, null)}
      />
    </>
  )
}

const PlayIcon = () => <IconPlayerPlay size={14} aria-hidden="true" />

function Offer({ scope }: { scope: Scope | null }) {
  if (scope?.words == null) return 'Test all'
  const running = runningOf(scope).length
  if (running === 0) return 'Test none'
  return (
    <span>
      Test <Said>{running === 1 ? 'this' : 'these'}</Said> {running === 1 ? 'one' : count(running)}
    </span>
  )
}

const runningOf = ({ rows }: Scope) => rows.filter((row) => row.enabled)

/** Why there is nothing to test; null where there is. */
function whyNothing(scope: Scope): string | null {
  if (runningOf(scope).length > 0) return null
  if (scope.all.length === 0) return 'There is no target to test yet.'
  if (scope.words === null) return 'All targets are paused.'
  return scope.rows.length === 0
    ? 'No target matches the filters.'
    : 'All that the list shows is paused.'
}

const Said = ({ children }: { children: string }) => (
  <span className={classes.said}>{children}</span>
)

function useStart(setAsked: (asked: Asked) => void) {
  const api = useApi()
  const ask = (asked: Asked) => {
    setAsked(asked)
    void asked.run.start()
  }
  const start = (ids: readonly number[], words: string | null, paused: number) =>
    ask({ run: new TestRun(ids, openChecks(api), inWords, paused), words })
  return [start, ask] as const
}

/** Read when the sign-in is over, hence of what had been. */
function inWords(error: unknown): string {
  if (isSignedOut(error)) return 'Your session had ended.'
  return error instanceof Error ? error.message : String(error)
}

interface Scope {
  rows: readonly OverviewRow[]
  all: readonly OverviewRow[]
  words: string | null
}

/** What would be tested: on the overview what its list shows, elsewhere all. Null before it is known. */
function useScope(): Scope | null {
  const all = useQuery(overviewQuery(useApi())).data?.targets
  const { pathname, search } = useLocation()
  if (all === undefined) return null
  const filters = readFilters(new URLSearchParams(search))
  if (pathname !== paths.overview() || !isFiltered(filters)) return { rows: all, all, words: null }
  const { rows } = filterRows(all, filters)
  return { rows, all, words: `Only what the list shows: ${filterWords(filters)}` }
}

interface RunProps {
  run: TestRun
}

const Turning = ({ run }: RunProps) =>
  useProgress(run).phase === 'running' ? <Loader size={14} aria-hidden="true" /> : <PlayIcon />

function GoingOn({ run }: RunProps) {
  const going = useProgress(run)
  const [said, rest] = endWords(going) ?? [
    'Testing',
    `${count(going.results.length)} of ${count(going.total)}`,
  ]
  return (
    <span>
      <Said>{said}</Said> {rest}
    </span>
  )
}
