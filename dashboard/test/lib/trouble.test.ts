import { describe, expect, it } from 'vitest'

import { trouble } from '#/lib/trouble'

const NOW = Date.parse('2026-01-02T03:04:05Z')
const well = {
  active: true,
  last_tick: '2026-01-02T03:04:04Z',
  lag: 0.2,
  last_write: null,
  store_error: null,
}

describe('trouble of Mooring itself', () => {
  it.each([
    [well, /^nothing$/],
    [{ ...well, active: false }, /not checking anything now/],
    [{ ...well, last_tick: '2026-01-02T03:00:00Z' }, /has not checked anything for 4 min 5 s/],
    [{ ...well, store_error: 'disk full' }, /Results cannot be stored: disk full/],
    [{ ...well, lag: 45 }, /45 s later than planned/],
  ])('%j is told as %s', (monitoring, words) => {
    expect(trouble(monitoring, NOW) ?? 'nothing').toMatch(words)
  })
})
