import { Loader, UnstyledButton } from '@mantine/core'
import { IconPencil, IconPlayerPause, IconPlayerPlay, IconRefresh } from '@tabler/icons-react'
import { memo } from 'react'
import { Link } from 'react-router'

import type { May } from '#/api/context'
import type { OverviewRow } from '#/api/types'
import { paths } from '#/lib/paths'

import classes from './Row.module.css'
import { usePauseOf, useTesting, useTestNow } from './useRowActions'

interface RowActionsProps extends Pick<OverviewRow, 'id' | 'name' | 'enabled' | 'origin'> {
  may: May
  tabIndex: 0 | -1
}

/** What can be done with a target; whoever may not is not shown it. */
export const RowActions = memo(function RowActions({ may, origin, ...target }: RowActionsProps) {
  const editable = may.edit && origin !== 'file'
  return (
    <span className={classes.actions}>
      {may.test && <TestNow {...target} />}
      {editable && <Pause {...target} />}
      {editable && (
        <Link
          className={classes.action}
          tabIndex={target.tabIndex}
          to={paths.editTarget(target.id)}
          aria-label={`Edit ${target.name}`}
          title="Edit"
        >
          <IconPencil size={16} aria-hidden="true" />
        </Link>
      )}
    </span>
  )
})

type Target = Omit<RowActionsProps, 'may' | 'origin'>

function TestNow({ id, name, tabIndex }: Target) {
  const { mutate } = useTestNow({ id, name })
  const testing = useTesting(id)
  return (
    <UnstyledButton
      className={classes.action}
      tabIndex={tabIndex}
      aria-label={testing ? `Testing ${name}` : `Test ${name} now`}
      title={testing ? 'Testing' : 'Test now'}
      aria-disabled={testing}
      data-busy={testing}
      onClick={() => testing || mutate()}
    >
      {testing ? <Loader size={14} /> : <IconRefresh size={16} aria-hidden="true" />}
    </UnstyledButton>
  )
}

function Pause({ id, name, enabled, tabIndex }: Target) {
  const { mutate, isPending } = usePauseOf({ id, name, enabled })
  const word = enabled ? 'Pause' : 'Resume'
  const Icon = enabled ? IconPlayerPause : IconPlayerPlay
  return (
    <UnstyledButton
      className={classes.action}
      tabIndex={tabIndex}
      aria-label={`${word} ${name}`}
      title={word}
      aria-disabled={isPending}
      data-busy={isPending}
      onClick={() => isPending || mutate()}
    >
      {isPending ? <Loader size={14} /> : <Icon size={16} aria-hidden="true" />}
    </UnstyledButton>
  )
}
