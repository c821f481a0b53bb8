import { Alert, Text } from '@mantine/core'
import type { ReactNode } from 'react'

import type { Kind, Result, Target, Trigger } from '#/api/types'
import { brokenStage, finished, running, stagesOf } from '#/lib/waterfall'
import type { Check } from '#/components/useCheck'
import { seconds } from '#/lib/format'
import { EmptyState } from '#/ui/EmptyState'
import { ErrorNotice } from '#/ui/ErrorNotice'
import { Since } from '#/ui/Since'
import { Waterfall } from '#/ui/Waterfall'

import { Section } from './Section'

interface LastCheckProps {
  target: Target
  kind: Kind | undefined
  last: Result | null
  test: Check
}

/** The stages of the last check, or of the test that runs. */
export function LastCheck({ target, kind, last, test }: LastCheckProps) {
  const before = last === null ? null : finished(last.stages, last.seconds)
  const live = test.phase === 'running'
  const aside = live ? (
    <Text size="sm" c="dimmed" role="status">
      Testing now…
    </Text>
  ) : (
    last !== null && <Circumstances result={last} />
  )
  return (
    <Section title={titleOf(kind, live)} aside={aside}>
      {test.phase === 'cancelled' && (
        <Note>The test was cancelled. This is what the last check found.</Note>
      )}
      {test.error !== null && <ErrorNotice error={test.error} title="The test did not finish" />}
      {live && (
        <Waterfall
          fall={running(lineUp(kind, last), test, before)}
          proves={kind?.proves}
          label="Stages of the test"
        />
      )}
      {!live && before !== null && (
        <Waterfall fall={before} proves={kind?.proves} label="Stages of the last check" />
      )}
      {!live && before === null && <NeverChecked target={target} kind={kind} />}
    </Section>
  )
}

function titleOf(kind: Kind | undefined, live: boolean): string {
  if (live) return 'Test'
  return kind?.passive === true ? 'Last report' : 'Last check'
}

/** A check that passed before shows which stages there are better than what the kind may do. */
const lineUp = (kind: Kind | undefined, last: Result | null): string[] => {
  const trail = last?.stages.map((each) => each.name) ?? []
  const all = stagesOf(kind?.proves ?? {})
  return last !== null && brokenStage(last.stages) === null && trail.length >= all.length
    ? trail
    : all
}

const Note = ({ children }: { children: ReactNode }) => (
  <Alert color="gray" mb="sm" role="status">
    {children}
  </Alert>
)

export const TRIGGER_WORD: Record<Trigger, string> = {
  schedule: 'on schedule',
  manual: 'by Test now',
  cli: 'by the command line',
  api: 'by the API',
  push: 'reported',
}

function Circumstances({ result }: { result: Result }) {
  return (
    <Text size="sm" c="dimmed">
      <Since at={result.started_at} />,{result.seconds > 0 && ` took ${seconds(result.seconds)},`}{' '}
      {TRIGGER_WORD[result.trigger]}
      {result.region !== 'local' && `, from ${result.region}`}
    </Text>
  )
}

function NeverChecked({ target, kind }: { target: Target; kind: Kind | undefined }) {
  // Whether it asks or waits to be told is not known yet: no words that are taken back in a moment.
  if (kind === undefined) return <EmptyState title="Nothing is known yet" />
  if (kind?.passive === true) {
    return (
      <EmptyState title="Waiting for the first report">
        Nothing to ask: it reports by itself. The address to report to was shown when it was added.
      </EmptyState>
    )
  }
  return (
    <EmptyState title="Never checked yet">
      {target.enabled
        ? 'The first check comes by itself in a moment.'
        : 'It is paused. Resume it, or test it once.'}
    </EmptyState>
  )
}
