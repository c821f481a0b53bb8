import { UnstyledButton } from '@mantine/core'
import { memo } from 'react'

import type { Shown } from '#/api/types'
import { count } from '#/lib/format'
import { SHOWN, STATUS_WORD } from '#/lib/status'
import { StatusIcon } from '#/ui/StatusBadge'

import classes from './StatusCounts.module.css'

interface StatusCountsProps {
  counts: Readonly<Record<Shown, number>>
  chosen: readonly Shown[]
  onChange: (chosen: readonly Shown[]) => void
  stale: boolean
}

/** How many there are of each status; a press shows only those. */
export const StatusCounts = memo(function StatusCounts(props: StatusCountsProps) {
  const { counts, chosen, onChange, stale } = props
  const toggle = (status: Shown) =>
    onChange(
      chosen.includes(status) ? chosen.filter((each) => each !== status) : [...chosen, status],
    )
  return (
    <div role="group" aria-label="Filter by status" className={classes.counts} data-stale={stale}>
      {SHOWN.map((status) => (
        <UnstyledButton
          key={status}
          className={classes.count}
          data-status={status}
          data-none={counts[status] === 0}
          aria-pressed={chosen.includes(status)}
          onClick={() => toggle(status)}
        >
          <span className={classes.number}>{count(counts[status])}</span>{' '}
          <span className={classes.word}>
            <StatusIcon status={status} size={14} />
            {STATUS_WORD[status]}
          </span>
        </UnstyledButton>
      ))}
    </div>
  )
})
