import type { OverviewRow, Shown } from '#/api/types'
import { type Counts, shownStatus } from '#/lib/status'

/** A target that was lost or restored between two states of the overview. */
interface Noticed {
  id: number
  name: string
  what: 'lost' | 'restored'
  /** Where it stands now, and what its failure says. */
  status: Shown
  detail: string | null
}

/** How often words are said at the most, in milliseconds: a burst becomes one group. */
export const PACE = 2000
/** How long the first of a burst waits for the rest. */
export const GATHER = 250
const NAMED = 3

type Rows = readonly OverviewRow[]

/** What is known of a target that was seen to work or to be down. */
type Known = 'works' | 'down'
/** How each stood when that was last known here: it outlasts an unknown in between. */
export type Memory = Map<number, Known>

/**
 * What was lost and restored from one state of the overview to the next. It compares states and not the
 * stream's transitions, so an hour's sleep tells the difference once, and what came and went says nothing.
 *
 * Lost is only what was seen to work, restored only what was seen down. One that is unknown when it is
 * first seen, because Mooring was just started or it is new, may come out as anything: that is no news.
 *
 * `memory` is changed here.
 */
export function noticed(before: Rows, after: Rows, memory: Memory): Noticed[] {
  const old = new Map(before.map((row) => [row.id, row]))
  const found: Noticed[] = []
  for (const row of after) {
    const was = old.get(row.id)
    if (was === row) continue
    if (was !== undefined) remember(memory, was)
    const known = memory.get(row.id)
    const now = remember(memory, row)
    if (known === 'works' && now === 'down') found.push(of(row, 'lost'))
    if (known === 'down' && now === 'works') found.push(of(row, 'restored'))
  }
  return found
}

/** `keep`: nothing new is known. `forget`: nobody looks, so what was known does not count any more. */
const KNOWN: Record<Shown, Known | 'keep' | 'forget'> = {
  up: 'works',
  degraded: 'works',
  down: 'down',
  unknown: 'keep',
  paused: 'forget',
}

function remember(memory: Memory, row: OverviewRow): Known | null {
  const known = KNOWN[shownStatus(row)]
  if (known === 'forget') memory.delete(row.id)
  if (known === 'forget' || known === 'keep') return null
  memory.set(row.id, known)
  return known
}

const of = (row: OverviewRow, what: Noticed['what']): Noticed => ({
  id: row.id,
  name: row.name,
  what,
  status: shownStatus(row),
  detail: row.failure === null ? null : stageAndMessage(row.failure),
})

const stageAndMessage = (failure: NonNullable<OverviewRow['failure']>): string =>
  failure.stage === null ? failure.message : `${failure.stage}: ${failure.message}`

/** Add later news to earlier: whoever was lost and is back again, or the reverse, is no news at all. */
export function merged(earlier: readonly Noticed[], later: readonly Noticed[]): Noticed[] {
  const group = new Map(earlier.map((each) => [each.id, each]))
  for (const each of later) {
    const said = group.get(each.id)
    if (said !== undefined && said.what !== each.what) group.delete(each.id)
    else group.set(each.id, each)
  }
  return [...group.values()]
}

/** Put later news over earlier: of each target what is so now, the newest first. */
function overlaid(earlier: readonly Noticed[], later: readonly Noticed[]): Noticed[] {
  const ids = new Set(later.map((each) => each.id))
  return [...later, ...earlier.filter((each) => !ids.has(each.id))]
}

export interface Notice {
  tone: 'lost' | 'restored'
  title: string
  text: string
  /** The one target that it is about; null where it is about several. */
  target: number | null
}

/** The words for a group. `meanwhile` says that nobody heard the server while this happened. */
export function notice(group: readonly Noticed[], meanwhile: boolean): Notice | null {
  const lost = group.filter((each) => each.what === 'lost')
  const restored = group.filter((each) => each.what === 'restored')
  const title = [wentDown(lost), cameBack(restored)].filter((words) => words !== '').join(', ')
  if (title === '') return null
  const [first] = group
  return {
    tone: lost.length > 0 ? 'lost' : 'restored',
    title: meanwhile ? `Meanwhile: ${title}` : title,
    text: group.length === 1 ? (first?.detail ?? '') : named(lost.length > 0 ? lost : restored),
    target: group.length === 1 ? (first?.id ?? null) : null,
  }
}

function wentDown(lost: readonly Noticed[]): string {
  const [first] = lost
  if (first === undefined) return ''
  return lost.length === 1 ? `${first.name} went down` : `${lost.length} targets went down`
}

function cameBack(restored: readonly Noticed[]): string {
  const [first] = restored
  if (first === undefined) return ''
  if (restored.length > 1) return `${restored.length} targets are back`
  return first.status === 'degraded'
    ? `${first.name} is back, degraded`
    : `${first.name} is back up`
}

/** The first names, and how many there are beside. */
function named(group: readonly Noticed[]): string {
  const names = group.slice(0, NAMED).map((each) => each.name)
  const more = group.length - names.length
  return more > 0 ? `${names.join(', ')} and ${more} more` : names.join(', ')
}

type Tell = (notice: Notice, where: 'page' | 'desktop') => void

/** Hears each state of the overview and tells, in groups and at a pace, what was lost and restored. */
export class News {
  readonly #tell: Tell
  readonly #hidden: () => boolean
  readonly #memory: Memory = new Map()
  #before: Rows | null = null
  #pending: Noticed[] = []
  /** What was told while nobody looked at the page: said once when it is looked at again. */
  #held: Noticed[] = []
  /** What stands on the page: later news is added to it, since it takes its place. */
  #shown: readonly Noticed[] = []
  #unheard = false
  #meanwhile = false
  #toldAt = -Infinity
  #timer: ReturnType<typeof setTimeout> | undefined

  constructor(tell: Tell, hidden: () => boolean) {
    this.#tell = tell
    this.#hidden = hidden
  }

  hear(rows: Rows): void {
    const before = this.#before
    this.#before = rows
    if (before === null || before === rows) return
    this.#meanwhile ||= this.#unheard
    this.#unheard = false
    this.#pending = merged(this.#pending, noticed(before, rows, this.#memory))
    if (this.#pending.length === 0) this.#meanwhile = false
    else this.#plan()
  }

  /** The stream broke: the next difference is what happened meanwhile. */
  broke(): void {
    this.#unheard = true
  }

  /** Somebody looks at the page again. */
  seen(): void {
    const held = this.#held
    this.#held = []
    if (held.length > 0) this.#show(held, true)
  }

  /** What stood on the page is gone. */
  gone(): void {
    this.#shown = []
  }

  close(): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
  }

  #plan(): void {
    const wait = Math.max(GATHER, this.#toldAt + PACE - Date.now())
    this.#timer ??= setTimeout(() => this.#flush(), Math.min(wait, PACE))
  }

  #flush(): void {
    this.#timer = undefined
    const [group, meanwhile] = [this.#pending, this.#meanwhile]
    this.#pending = []
    this.#meanwhile = false
    if (group.length === 0) return
    if (!this.#hidden()) return this.#show(group, meanwhile)
    this.#held = merged(this.#held, group)
    this.#say(notice(group, meanwhile), 'desktop')
  }

  #show(group: readonly Noticed[], meanwhile: boolean): void {
    // What stood there before did not happen meanwhile.
    this.#shown = meanwhile ? group : overlaid(this.#shown, group)
    this.#say(notice(this.#shown, meanwhile), 'page')
  }

  #say(words: Notice | null, where: 'page' | 'desktop'): void {
    if (words === null) return
    this.#toldAt = Date.now()
    this.#tell(words, where)
  }
}

/** What stands before the tab's name: the worst there is, so that it is seen from another tab. */
export function titleLead(counts: Counts | null, live: boolean): string {
  if (counts === null) return ''
  if (!live) return '(not live)'
  const bad = (['down', 'degraded'] as const).find((status) => counts[status] > 0)
  return bad === undefined ? '' : `(${counts[bad]} ${bad})`
}
