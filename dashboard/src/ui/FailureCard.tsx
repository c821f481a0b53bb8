import { Code, Group, Stack, Text, Title } from '@mantine/core'

import type { Failure, Status } from '#/api/types'
import { reasonTitle, reasonWord, REMEDY, remedyOf } from '#/lib/reasons'

import { CopyButton } from './CopyButton'
import classes from './FailureCard.module.css'
import { Folded } from './Folded'

interface FailureCardProps {
  failure: Failure
  status: Status
  /** What it is about, where several stand on a page. */
  label?: string
}

/** Why a check failed, in words, and what to do about it. */
export function FailureCard({ failure, status, label = 'Why it fails' }: FailureCardProps) {
  const { stage, reason, code, message, hint, fix } = failure
  const remedy = remedyOf(reason)
  return (
    <section className={classes.card} data-tone={status} aria-label={label}>
      <Stack gap="xs">
        <Title order={2} size="h4">
          {reasonTitle(reason)}
        </Title>
        <Group gap="xs" c="dimmed" fz="sm" style={{ rowGap: 0 }}>
          {stage !== null && (
            <span>
              at stage <b>{stage}</b>
            </span>
          )}
          {stage !== null && <span aria-hidden="true">·</span>}
          <span>
            reason <b>{reasonWord(reason)}</b>
          </span>
          <span aria-hidden="true">·</span>
          <span className={classes.code}>
            code <Code>{code}</Code>
          </span>
        </Group>
        <div className={classes.message}>
          <Folded text={message} />
        </div>
        {hint !== null && hint !== fix && (
          <Text component="div" size="sm">
            <Folded text={hint} />
          </Text>
        )}
        {fix !== null && <Fix text={fix} />}
        {remedy !== null && (
          <Text size="sm" c="dimmed">
            {REMEDY[remedy]}
          </Text>
        )}
      </Stack>
    </section>
  )
}

function Fix({ text }: { text: string }) {
  return (
    <div>
      <Text size="sm" fw={600} mb={4}>
        To mend it
      </Text>
      <div className={classes.fix}>
        <pre>{text}</pre>
        <CopyButton value={text} what="the fix" />
      </div>
    </div>
  )
}

/** What works, but not as it should. */
export function WarningsCard({ warnings }: { warnings: readonly string[] }) {
  return (
    <section className={classes.card} data-tone="degraded" aria-label="Warnings">
      <Title order={2} size="h4" mb="xs">
        {warnings.length === 1 ? 'It works, with a warning' : 'It works, with warnings'}
      </Title>
      <ul className={classes.warnings}>
        {warnings.map((each) => (
          <li key={each}>
            <Folded text={each} />
          </li>
        ))}
      </ul>
    </section>
  )
}
