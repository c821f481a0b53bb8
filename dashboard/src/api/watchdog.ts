const LOOK = 1000

/**
 * Barks where nothing was heard for too long: on the steady clock, which may stand still while the
 * machine sleeps, or on the wall's, which goes on meanwhile. It looks at once when the page is shown
 * again, since browsers let hidden pages' timers rest.
 */
export class Watchdog {
  #steady = 0
  #wall = 0
  #timer: ReturnType<typeof setInterval> | undefined

  constructor(
    private readonly patience: number,
    private readonly bark: () => void,
  ) {}

  start(): void {
    this.stop()
    this.feed()
    this.#timer = setInterval(this.#look, LOOK)
    document.addEventListener('visibilitychange', this.#look)
    window.addEventListener('online', this.#look)
  }

  /** Something was heard. */
  feed(): void {
    this.#steady = performance.now()
    this.#wall = Date.now()
  }

  stop(): void {
    clearInterval(this.#timer)
    document.removeEventListener('visibilitychange', this.#look)
    window.removeEventListener('online', this.#look)
  }

  readonly #look = (): void => {
    const silent = Math.max(performance.now() - this.#steady, Date.now() - this.#wall)
    if (silent < this.patience) return
    this.stop()
    this.bark()
  }
}
