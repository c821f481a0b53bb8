import type { Shown } from '#/api/types'

/** What the tab's icon tells. `unheard`: the server does not answer, so nothing is known. */
export type Signal = Shown | 'unheard'

// A shape each beside the colour: at 16 pixels, and for those who see no red and green.
const LOOK: Record<Signal, { colour: string; mark: string }> = {
  up: { colour: '#099268', mark: 'M9 17l5 5 10-11' },
  degraded: { colour: '#d9480f', mark: 'M16 8v10M16 23.5v.5' },
  down: { colour: '#e03131', mark: 'M10 10l12 12M22 10L10 22' },
  unknown: { colour: '#7048e8', mark: 'M12 13a4 4 0 1 1 5.5 3.7c-1 .4-1.5 1-1.5 2M16 24v.5' },
  paused: { colour: '#868e96', mark: 'M12 10v12M20 10v12' },
  unheard: { colour: '#868e96', mark: 'M9 16h14' },
}

/** The tab's icon as an address that needs no request: the policy allows data: for images. */
export function favicon(signal: Signal): string {
  const { colour, mark } = LOOK[signal]
  const svg =
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32"><rect width="32" height="32" rx="8" ` +
    `fill="${colour}"/><path d="${mark}" fill="none" stroke="#fff" stroke-width="4" ` +
    `stroke-linecap="round" stroke-linejoin="round"/></svg>`
  return `data:image/svg+xml,${encodeURIComponent(svg)}`
}
