import type { Severity } from '#/api/types'

import classes from './UseBar.module.css'

interface UseBarProps {
  used: number
  /** Null: there is none, and hence no bar. */
  limit: number | null
  /** The most that were used at once. */
  peak: number
  /** How severe that is, where it is. */
  full: Severity | null
}

/** How much of a limit is used, with a mark at the most that was. The words stand beside it. */
export function UseBar({ used, limit, peak, full }: UseBarProps) {
  if (limit === null || limit === 0) return null
  const share = (value: number) => `${Math.min(1, value / limit) * 100}%`
  return (
    <span className={classes.bar} data-full={full} aria-hidden="true">
      <span className={classes.used} style={{ width: share(used) }} />
      {peak > used && <span className={classes.peak} style={{ insetInlineStart: share(peak) }} />}
    </span>
  )
}
