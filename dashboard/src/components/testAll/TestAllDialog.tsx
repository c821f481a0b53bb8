import { Alert, Anchor, Box, Button, Group, Modal, Progress, Stack, Text } from '@mantine/core'
import { IconAlertCircle } from '@tabler/icons-react'
import { Link } from 'react-router'

import type { Result } from '#/api/types'
import { download } from '#/lib/download'
import { paths } from '#/lib/paths'
import { report, reportName } from '#/lib/report'
import { STATUS_COLOR, STATUSES } from '#/lib/status'
import { type Progress as Going, progressWords, spokenStep, whatFailed } from '#/lib/testAll'
import { Folded } from '#/ui/Folded'
import { Parts } from '#/ui/Parts'
import { StatusBadge } from '#/ui/StatusBadge'

import { type Asked, useProgress } from './run'

/** Rows of failing targets that are drawn: beyond, the list and the report are the better places. */
const MOST_SHOWN = 100

interface TestAllDialogProps extends Omit<AboutRunProps, 'asked'> {
  asked: Asked | null
  opened: boolean
  /** It is closed and out of sight. */
  onGone: () => void
}

/** Always there, also when closed: only so does it know what had the focus before. */
export function TestAllDialog({ asked, opened, onGone, ...rest }: TestAllDialogProps) {
  return (
    <Modal
      opened={opened}
      onClose={rest.onClose}
      onExitTransitionEnd={onGone}
      title="Test all connections"
      size="lg"
      closeButtonProps={{ 'aria-label': 'Close' }}
    >
      {asked !== null && <AboutRun asked={asked} {...rest} />}
    </Modal>
  )
}

interface AboutRunProps {
  asked: Asked
  onClose: () => void
  onFailing: (ids: readonly number[]) => void
  /** To ask the same once more. */
  onAgain: (asked: Asked) => void
  onAll: (() => void) | null
}

function AboutRun({ asked, ...rest }: AboutRunProps) {
  const going = useProgress(asked.run)
  return (
    <Stack gap="md">
      <About asked={asked} going={going} />
      <Bar going={going} />
      {going.mistake !== null && <Broken mistake={going.mistake} going={going} />}
      <Failing going={going} onFollow={rest.onClose} />
      <Actions asked={asked} going={going} {...rest} />
    </Stack>
  )
}

interface GoingProps {
  going: Going
}

function About({ asked, going }: GoingProps & { asked: Asked }) {
  const { words } = asked
  const { paused } = going
  const left = paused === 0 ? '' : `${paused} paused ${paused === 1 ? 'is' : 'are'} left out. `
  const hint = going.phase === 'running' ? 'You may close this: testing goes on.' : ''
  const which = words === null ? '' : `${words}. `
  return `${which}${left}${hint}` === '' ? null : (
    <Text size="sm" c="dimmed">
      {which}
      {left}
      {hint}
    </Text>
  )
}

function Bar({ going }: GoingProps) {
  const { total, results, counts } = going
  return (
    <Stack gap={6}>
      <Box
        hidden={total === 0}
        role="progressbar"
        aria-label="Targets tested"
        aria-valuemin={0}
        aria-valuemax={total}
        aria-valuenow={results.length}
        aria-valuetext={progressWords(going)}
      >
        <Progress.Root size="lg" aria-hidden="true">
          {STATUSES.filter((status) => counts[status] > 0).map((status) => (
            <Progress.Section
              key={status}
              withAria={false}
              value={(100 * counts[status]) / Math.max(1, total)}
              color={STATUS_COLOR[status]}
            />
          ))}
        </Progress.Root>
      </Box>
      <Text size="sm" className="tabular">
        {headline(going)}
      </Text>
      <Spoken going={going} />
    </Stack>
  )
}

function headline(going: Going): string {
  const words = progressWords(going)
  if (going.total === 0) return 'There is nothing to test: no target is chosen that is not paused.'
  switch (going.phase) {
    case 'running':
      return words
    case 'done':
      return going.failing.length === 0 ? `All is up. ${words}` : `Done. ${words}`
    case 'cancelled':
      return `Cancelled. ${words}`
    case 'broken':
      return words
  }
}

/** Said aloud at the start, each quarter and the end: the text itself changes ten times a second. */
function Spoken({ going }: GoingProps) {
  return (
    <span className="visually-hidden" role="status" key={going.phase}>
      <Quarter step={spokenStep(going)} words={headline(going)} phase={going.phase} />
    </span>
  )
}

function Quarter({ step, words, phase }: { step: number; words: string; phase: Going['phase'] }) {
  if (phase !== 'running') return words
  return step === 0 ? 'Testing' : `${step * 25} % tested`
}

function Broken({ mistake, going }: GoingProps & { mistake: string }) {
  const left = going.total - going.results.length
  return (
    <Alert role="alert" color="red" icon={<IconAlertCircle />} title="Testing stopped early">
      <Folded text={mistake} />
      {left > 0 && (
        <Text size="sm" mt={4}>
          Nothing is said here of the other {left}: test again to know.
        </Text>
      )}
    </Alert>
  )
}

function Failing({ going, onFollow }: GoingProps & { onFollow: () => void }) {
  const { failing } = going
  if (failing.length === 0) return null
  return (
    <Box mah="45vh" style={{ overflowY: 'auto' }} tabIndex={0} role="region" aria-label="Not up">
      <Stack component="ul" gap="sm" m={0} p={0} style={{ listStyle: 'none' }}>
        {failing.slice(0, MOST_SHOWN).map((result) => (
          <FailingRow key={result.target.id} result={result} onFollow={onFollow} />
        ))}
      </Stack>
      {failing.length > MOST_SHOWN && (
        <Text size="sm" c="dimmed" mt="sm">
          and {failing.length - MOST_SHOWN} more: the report has them all.
        </Text>
      )}
    </Box>
  )
}

function FailingRow({ result, onFollow }: { result: Result; onFollow: () => void }) {
  const { target, failure, status, warnings } = result
  const said = failure?.message ?? warnings.join('\n')
  return (
    <li>
      <Group gap="xs" wrap="wrap">
        <StatusBadge status={status} size="sm" />
        <Name id={target.id} name={target.name} onFollow={onFollow} />
        <Text size="sm" c="dimmed" component="div">
          <Parts>
            {whatFailed(result).map((part) => (
              <span key={part}>{part}</span>
            ))}
          </Parts>
        </Text>
      </Group>
      {said !== '' && (
        <Text size="sm" component="div">
          <Folded text={said} lines={2} />
        </Text>
      )}
    </li>
  )
}

function Name({ id, name, onFollow }: { id: number | null; name: string; onFollow: () => void }) {
  if (id === null) return <Text fw={600}>{name}</Text>
  return (
    <Anchor
      component={Link}
      to={paths.target(id)}
      onClick={onFollow}
      fw={600}
      size="sm"
      style={{ overflowWrap: 'anywhere' }}
    >
      {name}
    </Anchor>
  )
}

type ActionsProps = GoingProps & AboutRunProps

function Actions({ asked, going, onFailing, onAgain, onAll, onClose }: ActionsProps) {
  if (going.phase === 'running') {
    return (
      <Group justify="flex-end">
        <Button variant="default" onClick={() => asked.run.cancel()}>
          Cancel
        </Button>
      </Group>
    )
  }
  const ids = going.failing.flatMap(({ target }) => (target.id === null ? [] : [target.id]))
  const save = () => {
    const text = `${JSON.stringify(report(going), null, 2)}\n`
    download(reportName(new Date()), 'application/json', text)
  }
  return (
    <Group justify="flex-end" gap="xs">
      {asked.words !== null && onAll !== null && (
        <Button variant="subtle" onClick={onAll}>
          Test all
        </Button>
      )}
      {going.phase !== 'done' && (
        <Button variant="default" onClick={() => onAgain(asked)}>
          Test again
        </Button>
      )}
      {ids.length > 0 && (
        <Button variant="default" onClick={() => onFailing(ids)}>
          Test failing ones again
        </Button>
      )}
      {going.results.length > 0 && (
        <Button variant="default" onClick={save}>
          Download JSON
        </Button>
      )}
      <Button onClick={onClose}>Close</Button>
    </Group>
  )
}
