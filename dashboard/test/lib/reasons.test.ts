import { expect, it } from 'vitest'

import { reasonTitle, reasonWord, REASONS, remedyOf } from '#/lib/reasons'

it('says of each reason whether trying again can help', () => {
  expect(REASONS).toHaveLength(15)
  expect(remedyOf('auth')).toBe('change')
  expect(remedyOf('timeout')).toBe('wait')
  expect(remedyOf('driver')).toBe('mooring')
})

it('names a reason that it does not know as it came', () => {
  expect(reasonTitle('quota_spent')).toBe('quota spent')
  expect(remedyOf('quota_spent')).toBeNull()
  expect(remedyOf('toString')).toBeNull()
  expect(reasonWord('not_found')).toBe('not found')
})
