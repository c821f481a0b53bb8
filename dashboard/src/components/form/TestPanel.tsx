import { Group, Paper, Stack, Text } from '@mantine/core'

import { Fragment } from 'react'

import type { Kind } from '#/api/types'
import { Why } from '#/components/Why'
import { seconds } from '#/lib/format'
import { finished, running, stagesOf } from '#/lib/waterfall'
import { ErrorNotice } from '#/ui/ErrorNotice'
import { WarningsCard } from '#/ui/FailureCard'
import { Help } from '#/ui/Help'
import { StatusBadge } from '#/ui/StatusBadge'
import { Waterfall } from '#/ui/Waterfall'

import classes from './form.module.css'
import type { FormErrors } from './useFormErrors'
import type { Test } from './useTest'

interface TestPanelProps {
  test: Test
  kind: Kind
  /** The form has changed since. */
  stale: boolean
  errors: Pick<FormErrors, 'beside'>
}

/** How a test before saving goes, and what it found. */
export function TestPanel({ test, kind, stale, errors }: TestPanelProps) {
  const { phase, result, error } = test
  if (phase === 'none') return <Proves kind={kind} />
  if (error !== null) return <Refused error={errors.beside(error)} />
  const fall =
    result === null
      ? running(stagesOf(kind.proves), test, null)
      : finished(result.stages, result.seconds)
  return (
    <Paper withBorder p="md" component="section" aria-label="Test">
      <Stack gap="md">
        <Group justify="space-between" role="status">
          {result === null ? (
            <Text fw={600}>{phase === 'cancelled' ? 'Cancelled' : 'Testing …'}</Text>
          ) : (
            <Group gap="sm">
              <StatusBadge status={result.status} size="lg" stale={stale} />
              <Text c="dimmed" size="sm">
                in {seconds(result.seconds)}
              </Text>
            </Group>
          )}
          {stale && result !== null && (
            <Text size="sm" c="dimmed">
              From before your last change
            </Text>
          )}
        </Group>
        {result?.failure != null && <Why failure={result.failure} status={result.status} />}
        {result !== null && result.failure === null && result.warnings.length > 0 && (
          <WarningsCard warnings={result.warnings} />
        )}
        {phase !== 'cancelled' && (
          <Waterfall fall={fall} proves={kind.proves} label="Stages of the test" />
        )}
      </Stack>
    </Paper>
  )
}

/** What stands at a field is not said here again. */
function Refused({ error }: { error: Error | null }) {
  if (error !== null) return <ErrorNotice error={error} title="The test could not run" />
  return (
    <Paper withBorder p="md" component="section" aria-label="Test">
      <Text fw={600}>The test could not run</Text>
      <Text size="sm" c="dimmed">
        What is wrong stands at its field. Mend it, and test again.
      </Text>
    </Paper>
  )
}

/** What a test of this kind will show, before there is one. */
function Proves({ kind }: { kind: Kind }) {
  return (
    <Paper withBorder p="md" component="section" aria-label="What a test proves">
      <Text fw={600} mb="sm">
        {kind.passive ? 'What counts' : 'A test proves, step by step'}
      </Text>
      <dl className={classes.proves}>
        {Object.entries(kind.proves).map(([stage, words]) => (
          <Fragment key={stage}>
            <dt>{stage}</dt>
            <dd>
              <Help text={words} />
            </dd>
          </Fragment>
        ))}
      </dl>
    </Paper>
  )
}
