import { Stack } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { useParams } from 'react-router'

import { useApi } from '#/api/context'
import { ApiError } from '#/api/problem'
import { kindsQuery, targetQuery } from '#/api/queries'
import type { Result, Target } from '#/api/types'
import { Changes } from '#/components/target/Changes'
import { Observed, factsOf } from '#/components/target/Observed'
import { LastCheck } from '#/components/target/LastCheck'
import { OlderFailures } from '#/components/target/OlderFailures'
import { Past } from '#/components/target/Past'
import { Results } from '#/components/target/Results'
import { Section } from '#/components/target/Section'
import { TargetActions } from '#/components/target/TargetActions'
import { TargetHeader } from '#/components/target/TargetHeader'
import { TargetSettings } from '#/components/target/TargetSettings'
import { useTestNow } from '#/components/target/useTestNow'
import { usePause } from '#/components/usePause'
import { Why } from '#/components/Why'
import { paths } from '#/lib/paths'
import { ErrorNotice } from '#/ui/ErrorNotice'
import { WarningsCard } from '#/ui/FailureCard'
import { HiddenTitle } from '#/ui/HiddenTitle'
import { NotThere } from '#/ui/NotThere'
import { PageLoading } from '#/ui/PageLoading'
import { usePageTitle } from '#/ui/usePageTitle'

import classes from './target.module.css'

/** One target: where it stands, why, and how it was. */
export function TargetPage() {
  const word = useParams()['id'] ?? ''
  return /^[1-9]\d{0,14}$/.test(word) ? <TargetOf key={word} id={Number(word)} /> : <NotFound />
}

function TargetOf({ id }: { id: number }) {
  const query = useQuery(targetQuery(useApi(), id))
  usePageTitle(query.data?.name ?? 'Target')
  if (query.error instanceof ApiError && query.error.status === 404) return <NotFound />
  if (query.data !== undefined) return <Shown target={query.data} />
  if (query.error === null) return <PageLoading what="target" heights={[110, 360, 320]} />
  return (
    <>
      <HiddenTitle text="Target" />
      <ErrorNotice
        error={query.error}
        title="The target could not be read"
        onRetry={() => void query.refetch()}
        retrying={query.isFetching}
      />
    </>
  )
}

const NotFound = () => <NotThere what="target" to={paths.overview()} />

function Shown({ target }: { target: Target }) {
  const kinds = useQuery(kindsQuery(useApi())).data?.items
  const kind = kinds?.find((each) => each.name === target.kind)
  const { test, start, cancel } = useTestNow(target.id)
  const pause = usePause(target)
  const last = newest(target.health.last, test.result)
  const told = last !== null && factsOf(last).length > 0
  return (
    <Stack gap="md">
      <TargetHeader
        target={target}
        kind={kind}
        actions={
          <TargetActions
            target={target}
            kind={kind}
            testing={test.phase === 'running'}
            onTest={start}
            onCancel={cancel}
            pausing={pause.isPending}
            onPause={() => pause.mutate()}
          />
        }
      />
      {pause.error !== null && <ErrorNotice error={pause.error} title="Nothing was changed" />}
      {last !== null && last.failure !== null && (
        <Why failure={last.failure} status={last.status} />
      )}
      {last !== null && last.warnings.length > 0 && <WarningsCard warnings={last.warnings} />}
      <div className={classes.top} data-aside={told}>
        <LastCheck target={target} kind={kind} last={last} test={test} />
        {told && (
          <Section title="What it found">
            <Observed result={last} />
          </Section>
        )}
      </div>
      <Past id={target.id} kind={kind} since={target.health.since} />
      <div className={classes.bottom}>
        <Changes id={target.id} since={target.health.since} />
        <TargetSettings target={target} kind={kind} />
      </div>
      <Results id={target.id} kind={kind} newest={last?.started_at ?? null} />
      <OlderFailures id={target.id} />
    </Stack>
  )
}

/** The target tells of a test's result only a moment after the test itself. */
const newest = (told: Result | null, tested: Result | null): Result | null =>
  tested !== null && (told === null || tested.started_at > told.started_at) ? tested : told
