import { type Bucket, toneOf } from '#/lib/history'

import classes from './UptimeStrip.module.css'
import { type Cursor, useCursor } from './useCursor'

const MANY = 80

interface UptimeStripProps {
  buckets: readonly Pick<Bucket, 'start' | 'uptime'>[]
  cursor: Cursor
  words: (at: number) => string
  label: string
  /** Pixels left free, so that it lines up with a chart of the same steps. */
  inset?: number
}

/** How much of each step a target was up: by colour, height, and words for the step looked at. */
export function UptimeStrip({ buckets, cursor, words, label, inset = 0 }: UptimeStripProps) {
  const slider = useCursor({ ...cursor, count: buckets.length, inset, words, label })
  return (
    <div style={{ paddingInlineStart: inset }} {...slider}>
      <div
        className={`${classes['strip']} ${buckets.length > MANY ? '' : classes['few']}`}
        aria-hidden="true"
      >
        {buckets.map((each, index) => (
          <span
            key={each.start}
            className={classes.step}
            data-tone={toneOf(each.uptime)}
            data-at={index === cursor.at}
          />
        ))}
      </div>
    </div>
  )
}
