const FIRST = 1000
const LONGEST = 15_000

/**
 * Milliseconds to wait before the next try, after so many that failed: longer each time, and by chance
 * so that all pages of a restarted server do not come back in the same moment. `chance`: 0 to 1.
 */
export function backoff(failures: number, chance: number): number {
  const most = Math.min(LONGEST, FIRST * 2 ** Math.min(failures, 10))
  return most * (0.5 + chance / 2)
}
