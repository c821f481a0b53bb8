import type { OverviewRow } from '#/api/types'

import classes from './Row.module.css'

interface Said {
  /** In a word: the stage and the reason. */
  lead: string
  message: string
  /** All there is to say, for who asks. */
  more: string
}

const firstLine = (text: string): string => text.trim().split('\n', 1)[0] ?? ''

/** What is wrong with a target; null where nothing is, or nobody wants to know. */
export function troubleOf({ failure, warnings, enabled }: OverviewRow): Said | null {
  if (!enabled) return null
  if (failure !== null) {
    const parts = [failure.stage, failure.reason].filter((part) => part !== null)
    const lead = [...new Set<string>(parts)].join(': ')
    const more = failure.hint === null ? failure.message : `${failure.message}\n\n→ ${failure.hint}`
    return { lead, message: firstLine(failure.message), more }
  }
  const [warning] = warnings
  if (warning === undefined) return null
  return { lead: 'warning', message: firstLine(warning), more: warnings.join('\n') }
}

/** Some lines of a browser's own tooltip; the target's page has all of it. */
const MOST = 600

export function Trouble({ row, id }: { row: OverviewRow; id: string }) {
  const said = troubleOf(row)
  if (said === null) return null
  return (
    <span id={id} className={classes.trouble} title={said.more.slice(0, MOST)}>
      <span className={classes.lead}>{said.lead}</span>{' '}
      <bdi className={classes.message}>{said.message.slice(0, MOST)}</bdi>
    </span>
  )
}
