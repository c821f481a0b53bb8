const MINUTE = 60
const HOUR = 60 * MINUTE
const DAY = 24 * HOUR

/** A span in its two largest units: "12 s", "3 min 5 s", "2 h 10 min", "4 d 3 h". */
export function duration(seconds: number): string {
  const whole = Math.max(0, Math.floor(seconds))
  if (whole < MINUTE) return `${whole} s`
  if (whole < HOUR) return two(whole, MINUTE, 'min', 1, 's')
  if (whole < DAY) return two(whole, HOUR, 'h', MINUTE, 'min')
  return two(whole, DAY, 'd', HOUR, 'h')
}

function two(whole: number, large: number, name: string, small: number, smallName: string): string {
  const rest = Math.floor((whole % large) / small)
  const first = `${Math.floor(whole / large)} ${name}`
  return rest === 0 ? first : `${first} ${rest} ${smallName}`
}

/** A span in its largest unit alone: "12 s", "3 min", "2 h", "4 d". */
export function span(seconds: number): string {
  const whole = Math.max(0, Math.floor(seconds))
  if (whole < MINUTE) return `${whole} s`
  if (whole < HOUR) return `${Math.floor(whole / MINUTE)} min`
  if (whole < 2 * DAY) return `${Math.floor(whole / HOUR)} h`
  return `${Math.floor(whole / DAY)} d`
}

/** How long before `now` (in ms) an instant was: "12 s ago"; "in 12 s" where it lies ahead. */
export function ago(at: string, now: number): string {
  const seconds = (now - Date.parse(at)) / 1000
  // Rounding and the network make what has just happened lie a moment ahead.
  return seconds <= -2 ? `in ${span(-seconds)}` : `${span(seconds)} ago`
}

const EXACT = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium', timeStyle: 'long' })
const CLOCK = new Intl.DateTimeFormat(undefined, { timeStyle: 'medium' })
const UTC_DAY = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium', timeZone: 'UTC' })
const DATE_CLOCK = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium', timeStyle: 'short' })

/** The instant in the reader's zone, to the second, with the zone's name. */
export const exact = (at: string | number): string => EXACT.format(new Date(at))

/** The time of day in the reader's zone: "12:03:10". */
export const clockTime = (at: string | number): string => CLOCK.format(new Date(at))

/** Day and time in the reader's zone, without seconds. */
export const dayAndTime = (at: string | number): string => DATE_CLOCK.format(new Date(at))

/** A day in UTC, such as "2026-01-02". */
export const utcDay = (day: string): string => UTC_DAY.format(new Date(day))

/** An instant of that day: its time alone, unless it is another day where the reader is. */
export function timeOnDay(at: string, day: string): string {
  const here = new Date(at)
  return here.toDateString() === new Date(`${day}T00:00`).toDateString()
    ? clockTime(at)
    : dayAndTime(at)
}
