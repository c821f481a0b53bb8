import { Anchor, Checkbox, Group, Loader, Text, TextInput } from '@mantine/core'
import { memo } from 'react'
import { Link } from 'react-router'

import { ApiError } from '#/api/problem'
import { QUIET } from '#/components/form/quiet'
import { isOpen, isUsable, obstacle, type Row, type Step, type Test } from '#/lib/importing'
import { paths } from '#/lib/paths'
import { Breakable } from '#/ui/Breakable'
import { Folded } from '#/ui/Folded'
import { Parts } from '#/ui/Parts'
import { StatusBadge } from '#/ui/StatusBadge'

import classes from './import.module.css'

interface FoundRowProps {
  row: Row
  disabled: boolean
  step: (step: Step) => void
}

/** One found address: its name, where it leads, and how it fared. */
export const FoundRow = memo(function FoundRow({ row, disabled, step }: FoundRowProps) {
  const { id, found, name } = row
  const open = isOpen(row)
  return (
    <li className={classes.item} data-open={open}>
      <Checkbox
        className={classes.check ?? ''}
        aria-label={`Pick ${name}`}
        checked={open ? row.picked : row.savedAs !== null}
        disabled={disabled || !open}
        onChange={(event) => step({ is: 'picked', ids: [id], picked: event.currentTarget.checked })}
      />
      {open ? (
        <TextInput
          aria-label={`Name of ${found.source}`}
          value={name}
          disabled={disabled || row.saving}
          error={ofName(row.mistake)}
          onChange={(event) => step({ is: 'named', id, name: event.currentTarget.value })}
          {...QUIET}
        />
      ) : (
        <Text size="sm" fw={500} pt={8} style={{ overflowWrap: 'anywhere' }}>
          {name}
        </Text>
      )}
      <div className={classes.place}>
        <div className={classes.address}>
          <Breakable address={found.url} />
        </div>
        <Text size="xs" c="dimmed" component="div">
          <Parts>
            <span>{found.kind ?? 'no kind'}</span>
            <span>{found.source}</span>
          </Parts>
        </Text>
      </div>
      <Outcome row={row} />
    </li>
  )
})

const ofName = (mistake: Error | null): string | undefined =>
  mistake instanceof ApiError ? mistake.of('name') : undefined

function Outcome({ row }: { row: Row }) {
  const { savedAs, mistake, saving, test } = row
  if (savedAs !== null) {
    return (
      <div className={classes.outcome}>
        <span>
          Saved.{' '}
          <Anchor component={Link} to={paths.target(savedAs)} inherit>
            See {row.name}
          </Anchor>
        </span>
      </div>
    )
  }
  return (
    <div className={classes.outcome}>
      {!isUsable(row) && <Obstacle row={row} />}
      {saving ? <Going words="Saving …" /> : <TestOutcome test={test} />}
      {mistake !== null && <Mistake error={mistake} words="Not saved: " />}
    </div>
  )
}

function Obstacle({ row }: { row: Row }) {
  const { kind } = row.found
  return (
    <>
      <span>{obstacle(row)}</span>
      {kind !== null && (
        <Anchor component={Link} to={`${paths.add()}?kind=${encodeURIComponent(kind)}`} size="sm">
          Add it by hand
        </Anchor>
      )}
    </>
  )
}

function TestOutcome({ test }: { test: Test }) {
  switch (test.phase) {
    case 'none':
      return null
    case 'waiting':
      return (
        <Text size="sm" c="dimmed">
          {'Waits for its turn'}
        </Text>
      )
    case 'running':
      return <Going words={test.stage === null ? 'Testing …' : `Testing … past ${test.stage}`} />
    case 'refused':
      return <Mistake error={test.error} words="Not tested: " />
    case 'done': {
      const { status, failure } = test.result
      return (
        <>
          <StatusBadge status={status} />
          {failure !== null && (
            <Folded
              text={`${failure.stage === null ? '' : `${failure.stage}: `}${failure.message}`}
              lines={2}
            />
          )}
        </>
      )
    }
  }
}

function Going({ words }: { words: string }) {
  return (
    <Group gap="xs" wrap="nowrap">
      <Loader size={14} aria-hidden="true" />
      <Text size="sm">{words}</Text>
    </Group>
  )
}

/** An error in the API's own words; what is said of the name stands at the name. */
function Mistake({ error, words }: { error: Error; words: string }) {
  const said =
    error instanceof ApiError && error.errors.length > 0
      ? error.errors
          .filter(({ field }) => field !== 'name')
          .map(({ field, message }) => `${field} ${message}`.trim())
          .join(' ')
      : error.message
  return (
    <Text size="sm" c="red" component="div" role="alert">
      <Folded text={`${words}${said || 'see its name.'}`} lines={2} />
    </Text>
  )
}
