import { expect, it } from 'vitest'

import { MOST_BYTES, tooLarge } from '#/lib/upload'

it('says of a file that is too large how large it is, and how large it may be', () => {
  expect(tooLarge({ name: '.env', size: MOST_BYTES })).toBeNull()
  expect(tooLarge({ name: 'all.log', size: 3_240_000 })).toMatch(
    /^all\.log is 3\.2 MB; at most 1 MB/,
  )
})
