import { Code, Stack, Text, Title } from '@mantine/core'

import type { AboutReason, Failure, Status } from '#/api/types'
import { reasonTitle, reasonWord, remedyWords } from '#/lib/reasons'

import { CopyButton } from './CopyButton'
import classes from './FailureCard.module.css'
import { Folded } from './Folded'
import { Parts } from './Parts'

export interface FailureCardProps {
  failure: Failure
  /** What the API tells of its reason; undefined where that is not known. */
  about: AboutReason | undefined
  status: Status
  /** What it is about, where several stand on a page. */
  label?: string
}

/** Why a check failed, in words, and what to do about it. */
export function FailureCard({ failure, about, status, label = 'Why it fails' }: FailureCardProps) {
  const { stage, reason, code, message, hint, fix } = failure
  const advice = hint ?? (fix === null ? about?.advice : null) ?? null
  return (
    <section className={classes.card} data-tone={status} aria-label={label}>
      <Stack gap="xs">
        <Title order={2} size="h4">
          {reasonTitle(reason, about)}
        </Title>
        <Text component="div" c="dimmed" size="sm">
          <Parts>
            {stage !== null && (
              <span>
                at stage <b>{stage}</b>
              </span>
            )}
            <span>
              reason <b>{reasonWord(reason)}</b>
            </span>
            <span className={classes.code}>
              code <Code>{code}</Code>
            </span>
          </Parts>
        </Text>
        <div className={classes.message}>
          <Folded text={message} />
        </div>
        {advice !== null && advice !== fix && (
          <Text component="div" size="sm">
            <Folded text={advice} help />
          </Text>
        )}
        {fix !== null && <Fix text={fix} />}
        {about !== undefined && (
          <Text size="sm" c="dimmed">
            {remedyWords(about)}
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
            <Folded text={each} help />
          </li>
        ))}
      </ul>
    </section>
  )
}
