import { UnstyledButton } from '@mantine/core'
import { IconChevronDown, IconChevronRight } from '@tabler/icons-react'
import { memo } from 'react'

import { count } from '#/lib/format'
import { type Group, NO_LABEL } from '#/lib/group'
import { SHOWN, STATUS_WORD } from '#/lib/status'
import { StatusBadge } from '#/ui/StatusBadge'

import classes from './Row.module.css'

interface GroupHeadingProps {
  group: Group
  folded: boolean
  stale: boolean
  columns: number
  /** Whether the tab key comes to it. */
  stop: boolean
  onFold: (name: string) => void
}

/** The heading of a group: its worst status and how many there are of each. */
export const GroupHeading = memo(function GroupHeading(props: GroupHeadingProps) {
  const { group, folded, stale, columns, stop, onFold } = props
  const Icon = folded ? IconChevronRight : IconChevronDown
  const counts = SHOWN.filter((status) => group.counts[status] > 0)
    .map((status) => `${count(group.counts[status])} ${STATUS_WORD[status].toLowerCase()}`)
    .join(', ')
  return (
    <div role="gridcell" aria-colspan={columns} className={classes.groupCell}>
      <UnstyledButton
        className={classes.group}
        tabIndex={stop ? 0 : -1}
        aria-expanded={!folded}
        onClick={() => onFold(group.name)}
      >
        <Icon size={16} aria-hidden="true" />
        <bdi className={classes.groupName} title={group.name}>
          {group.name === NO_LABEL ? 'without this label' : group.name}
        </bdi>
        <StatusBadge status={group.worst} size="sm" stale={stale} />
        <span className={classes.quiet}>{counts}</span>
      </UnstyledButton>
    </div>
  )
})
