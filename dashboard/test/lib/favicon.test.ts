import { expect, it } from 'vitest'

import { favicon, type Signal } from '#/lib/favicon'

const SIGNALS: Record<Signal, true> = {
  up: true,
  degraded: true,
  down: true,
  unknown: true,
  paused: true,
  unheard: true,
}

it('differs for each signal, and needs no request', () => {
  const icons = (Object.keys(SIGNALS) as Signal[]).map(favicon)
  expect(new Set(icons).size).toBe(icons.length)
  for (const icon of icons) expect(icon).toMatch(/^data:image\/svg\+xml,/)
})
