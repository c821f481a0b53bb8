const TICK = 1000
/** A Date header is whole seconds and was made a moment ago: what is nearer than this is no news. */
const COARSE = 2000

/**
 * The server's time, whatever this machine's clock says. One timer for all who watch it, and none
 * when nobody does. Times are milliseconds since 1970.
 */
export class Clock {
  #skew = 0
  #read = 0
  #wall = 0
  #timer: ReturnType<typeof setInterval> | undefined
  readonly #listeners = new Set<() => void>()

  /** The server's time this very moment. */
  now(): number {
    return Date.now() + this.#skew
  }

  /** The server's time at the last tick: the same for everything that is drawn together. */
  readonly read = (): number => {
    const idle = this.#timer === undefined
    const gone = Math.abs(Date.now() - this.#wall)
    if (idle && gone >= TICK) this.#note()
    return this.#read
  }

  readonly subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener)
    this.#timer ??= setInterval(this.#tick, TICK)
    return () => {
      this.#listeners.delete(listener)
      if (this.#listeners.size > 0) return
      clearInterval(this.#timer)
      this.#timer = undefined
    }
  }

  /** Note the server's time. `coarse`: to a second, as a Date header has it. */
  heed(time: string | null, coarse = false): void {
    const at = time === null ? NaN : Date.parse(time)
    if (Number.isNaN(at)) return
    const skew = at + (coarse ? TICK / 2 : 0) - Date.now()
    if (coarse && Math.abs(skew - this.#skew) < COARSE) return
    this.#skew = skew
    this.#note()
  }

  #note(): void {
    this.#wall = Date.now()
    this.#read = this.now()
  }

  readonly #tick = (): void => {
    this.#note()
    for (const listener of this.#listeners) listener()
  }
}
