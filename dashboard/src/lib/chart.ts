/** Arithmetic of charts: ticks, scales and paths. Knows no pixels but those it is given. */

const NICE = [1, 2, 2.5, 5, 10]

/** The step between ticks: 1, 2, 2.5 or 5 times a power of ten, so that about `most` of them fit. */
export function niceStep(highest: number, most: number): number {
  const rough = highest / Math.max(1, most)
  if (!(rough > 0)) return 1
  const power = 10 ** Math.floor(Math.log10(rough))
  const step = NICE.find((each) => each * power >= rough * (1 - 1e-9)) ?? 10
  return step * power
}

/** Ticks from 0 to the first one at or above `highest`. */
export function valueTicks(highest: number, most: number): number[] {
  const step = niceStep(highest, most)
  const count = Math.max(1, Math.ceil(highest / step - 1e-9))
  return Array.from({ length: count + 1 }, (_, index) => index * step)
}

/** As `valueTicks`, of what is counted: none of them lies between two whole numbers. */
export function countTicks(highest: number, most: number): number[] {
  const nice = niceStep(highest, most)
  const step = Number.isInteger(nice) ? nice : Math.max(1, nice * 2)
  const count = Math.max(1, Math.ceil(highest / step))
  return Array.from({ length: count + 1 }, (_, index) => index * step)
}

const MINUTE = 60_000
const HOUR = 60 * MINUTE
const DAY = 24 * HOUR
const TIME_STEPS = [
  5 * MINUTE,
  10 * MINUTE,
  15 * MINUTE,
  30 * MINUTE,
  HOUR,
  2 * HOUR,
  3 * HOUR,
  6 * HOUR,
  12 * HOUR,
  DAY,
  2 * DAY,
  5 * DAY,
  7 * DAY,
  10 * DAY,
]

/** Round instants in the reader's zone (full hours, midnights), at the most `most` of them. */
export function timeTicks(since: number, until: number, most: number): number[] {
  const step = TIME_STEPS.find((each) => (until - since) / each <= most) ?? 10 * DAY
  const ticks: number[] = []
  for (let at = firstTick(since, step); at <= until; at = nextTick(at, step)) {
    if (at >= since) ticks.push(at)
  }
  return ticks
}

/** Counted from the midnight before: days of 23 and 25 hours keep their labels round. */
function firstTick(since: number, step: number): number {
  const midnight = new Date(since).setHours(0, 0, 0, 0)
  return step >= DAY ? midnight : midnight + Math.floor((since - midnight) / step) * step
}

function nextTick(at: number, step: number): number {
  if (step < DAY) return at + step
  const date = new Date(at)
  date.setDate(date.getDate() + Math.round(step / DAY))
  return date.getTime()
}

export interface Column {
  x: number
  width: number
  from: number
  to: number
}

/** One path for many columns: cheaper than an element each. */
export const columnsPath = (columns: readonly Column[]): string =>
  columns
    .map(({ x, width, from, to }) => `M${r(x)} ${r(from)}H${r(x + width)}V${r(to)}H${r(x)}Z`)
    .join('')

/** A line that is level within each step and broken where a value is missing. */
export function stepLine(points: readonly (number | null)[], width: number): string {
  let path = ''
  let before: number | null = null
  points.forEach((y, index) => {
    if (y !== null) {
      path += before === null ? `M${r(index * width)} ${r(y)}` : `V${r(y)}`
      path += `H${r((index + 1) * width)}`
    }
    before = y
  })
  return path
}

const r = (value: number): number => Math.round(value * 100) / 100

/** Which of `count` steps a position belongs to. */
export const stepAt = (position: number, width: number, count: number): number =>
  Math.min(count - 1, Math.max(0, Math.floor((position / Math.max(1, width)) * count)))

const DAY_LABEL = new Intl.DateTimeFormat(undefined, { day: 'numeric', month: 'short' })
const TIME_LABEL = new Intl.DateTimeFormat(undefined, { hour: 'numeric', minute: '2-digit' })

/** A tick's label: the day at midnight, the time of day otherwise. */
export function timeLabel(at: number): string {
  const date = new Date(at)
  const midnight = date.getHours() === 0 && date.getMinutes() === 0
  return (midnight ? DAY_LABEL : TIME_LABEL).format(date)
}

const STEP: Intl.DateTimeFormatOptions = {
  day: 'numeric',
  month: 'short',
  hour: 'numeric',
  minute: '2-digit',
}
const STEP_LABEL = new Intl.DateTimeFormat(undefined, { ...STEP, weekday: 'short' })
const SHORT_STEP_LABEL = new Intl.DateTimeFormat(undefined, STEP)

const label = (format: Intl.DateTimeFormat, start: number, seconds: number): string =>
  format.formatRange(new Date(start), new Date(start + seconds * 1000))

/** The time that a step covers: "Sun, 22 Nov, 10:10 – 10:20". */
export const stepLabel = (start: number, seconds: number): string =>
  label(STEP_LABEL, start, seconds)

/** The same where many stand below each other: "22 Nov, 10:10 – 10:20". */
export const shortStepLabel = (start: number, seconds: number): string =>
  label(SHORT_STEP_LABEL, start, seconds)
