import {
  IconAlertTriangleFilled,
  IconCircleCheckFilled,
  IconCircleXFilled,
  IconHelpCircleFilled,
  IconPlayerPauseFilled,
} from '@tabler/icons-react'
import type { ComponentType } from 'react'

import type { Shown } from '#/api/types'
import { STATUS_WORD } from '#/lib/status'

import classes from './StatusBadge.module.css'

/** A shape for each, so that none is told by its colour alone. */
const ICON: Record<Shown, ComponentType<{ size?: number; className?: string | undefined }>> = {
  up: IconCircleCheckFilled,
  degraded: IconAlertTriangleFilled,
  down: IconCircleXFilled,
  unknown: IconHelpCircleFilled,
  paused: IconPlayerPauseFilled,
}

interface StatusIconProps {
  status: Shown
  size?: number
}

/** The shape alone, for where the word stands beside it anyway. */
export function StatusIcon({ status, size = 16 }: StatusIconProps) {
  const Icon = ICON[status]
  return (
    <span className={classes.icon} data-status={status} aria-hidden="true">
      <Icon size={size} />
    </span>
  )
}

interface StatusBadgeProps {
  id?: string
  status: Shown
  /** What it is called where that is not the status of a target. */
  word?: string
  size?: 'sm' | 'md' | 'lg'
  /** Not known to be so still: the page has lost its connection. */
  stale?: boolean
}

const ICON_SIZE = { sm: 14, md: 16, lg: 20 } as const

/** A status by shape, word and colour. */
export function StatusBadge({
  id,
  status,
  word = STATUS_WORD[status],
  size = 'md',
  stale = false,
}: StatusBadgeProps) {
  return (
    <span
      id={id}
      className={classes.badge}
      data-status={status}
      data-size={size}
      data-stale={stale}
    >
      <StatusIcon status={status} size={ICON_SIZE[size]} />
      {word}
    </span>
  )
}
