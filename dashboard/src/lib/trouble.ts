import type { Monitoring } from '#/api/types'

import { duration } from './time'

/** Seconds by which checks may be late before it is worth a word. */
const LATE = 10
/** Seconds without a turn of the scheduler after which the server itself calls it stuck. */
const STALLED = 60

/** What is wrong with Mooring itself, in words; null where it works. `now`: the server's time in ms. */
export function trouble(monitoring: Monitoring, now: number): string | null {
  const { active, last_tick: tick, lag, store_error: store } = monitoring
  if (!active) return 'Mooring is not checking anything now: its monitoring does not run.'
  const silent = tick === null ? 0 : (now - Date.parse(tick)) / 1000
  if (silent > STALLED) return `Mooring has not checked anything for ${duration(silent)}.`
  if (store !== null) return `Results cannot be stored: ${store}`
  if (lag !== null && lag > LATE) {
    return `Checks start ${duration(lag)} later than planned: this machine cannot keep up.`
  }
  return null
}
