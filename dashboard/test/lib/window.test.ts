import { expect, test } from 'vitest'

import { POOL_WINDOWS, WINDOWS, windowOf } from '#/lib/window'

test('the window is what the address names, where it is offered, and a day otherwise', () => {
  expect(windowOf('30d', WINDOWS)).toBe('30d')
  expect(windowOf('30d', POOL_WINDOWS)).toBe('24h')
  expect(windowOf('nonsense', WINDOWS)).toBe('24h')
  expect(windowOf(null, WINDOWS)).toBe('24h')
})
