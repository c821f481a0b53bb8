const COUNT = new Intl.NumberFormat('en')

/** Seconds of a check: "0.42 ms", "12 ms", "1.2 s", "12 s". */
export function seconds(value: number): string {
  const ms = value * 1000
  if (ms < 1) return `${digits(ms, 2)} ms`
  if (ms < 10) return `${digits(ms, 1)} ms`
  if (ms < 999.5) return `${digits(ms, 0)} ms`
  if (value < 9.95) return `${digits(value, 1)} s`
  return `${digits(value, 0)} s`
}

/** As `seconds`; a dash where there is none. */
export const secondsIfAny = (value: number | null | undefined): string =>
  value === null || value === undefined ? '–' : seconds(value)

const digits = (value: number, places: number): string => String(Number(value.toFixed(places)))

/** A share of 1 as "99.95 %". Never rounded up to 100 %, nor down to 0 %: those are facts. */
export function percent(share: number): string {
  if (share >= 1) return '100 %'
  if (share <= 0) return '0 %'
  const hundredths = Math.min(9999, Math.max(1, Math.floor(share * 10_000)))
  return `${digits(hundredths / 100, 2)} %`
}

/** A whole number with its thousands parted: "1,234". */
export const count = (value: number): string => COUNT.format(value)

/** "1 target", "1,234 targets". */
export const plural = (value: number, noun: string, nouns = `${noun}s`): string =>
  `${count(value)} ${value === 1 ? noun : nouns}`
