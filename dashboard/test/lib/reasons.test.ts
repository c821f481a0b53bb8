import { expect, it } from 'vitest'

import { reasonTitle, reasonWord, remedyWords } from '#/lib/reasons'

import { QUOTA } from '../values'

it('heads a failure with what the API says of its reason', () => {
  expect(reasonTitle('quota_spent', QUOTA)).toBe('The month’s requests are used up')
})

it('names a reason that nothing is told of as it came', () => {
  expect(reasonTitle('quota_spent', undefined)).toBe('quota spent')
  expect(reasonWord('not_found')).toBe('not found')
})

it('says who has to do something', () => {
  expect(remedyWords(QUOTA)).toMatch(/It may pass by itself/)
  expect(remedyWords({ ...QUOTA, permanent: true })).toMatch(/change something first/)
  expect(remedyWords({ ...QUOTA, status: 'unknown' })).toMatch(/says nothing about the target/)
})
