import { percent } from '#/lib/format'

import classes from './Uptime.module.css'

interface UptimeProps {
  /** 0 to 1; null where nothing is known yet. */
  share: number | null
  over?: string
}

/** The share of the known time in which a target worked. Quiet where nothing was amiss. */
export function Uptime({ share, over = '24 h' }: UptimeProps) {
  const word = share === null ? '–' : percent(share)
  const title = `Uptime over ${over}: ${share === null ? 'not known yet' : word}`
  return (
    <span className={classes.uptime} data-whole={share === null || share === 1} title={title}>
      {word}
    </span>
  )
}
