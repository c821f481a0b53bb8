import { expect, test } from 'vitest'

import { FIT, POOL_WINDOWS, WINDOWS, windowOf } from '#/lib/window'

test('the window is what the address names, where it is offered, and the usual otherwise', () => {
  expect(windowOf('30d', WINDOWS, '24h')).toBe('30d')
  expect(windowOf('30d', POOL_WINDOWS, FIT)).toBe('fit')
  expect(windowOf('nonsense', WINDOWS, '24h')).toBe('24h')
  expect(windowOf(null, WINDOWS, '24h')).toBe('24h')
})
