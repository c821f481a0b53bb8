import { expect, test } from 'vitest'

import { because, gather, happened } from '#/lib/feed'

import { aFailure, aTransition } from '../values'

test.each([
  ['up', 'down', 'went down'],
  ['down', 'up', 'is up again'],
  ['degraded', 'up', 'is up again'],
  ['unknown', 'up', 'is up'],
  ['up', 'unknown', 'is unknown'],
  ['up', 'degraded', 'is degraded'],
] as const)('from %s to %s a target %s', (old, now, words) => {
  expect(happened({ old, new: now })).toBe(words)
})

test('several of them are, and several of them went', () => {
  expect(happened({ old: 'down', new: 'up' }, true)).toBe('are up again')
  expect(happened({ old: 'up', new: 'down' }, true)).toBe('went down')
})

test('the cause is the stage with its code, else what Mooring notes', () => {
  expect(because(aTransition())).toBe('auth WRONGPASS')
  expect(
    because(aTransition({ failure: aFailure({ stage: null, code: '', reason: 'config' }) })),
  ).toBe('config')
  expect(because(aTransition({ failure: null, note: 'Mooring was stopped' }))).toBe(
    'Mooring was stopped',
  )
  expect(because(aTransition({ failure: null }))).toBeNull()
})

test('what happened to many within a minute for one cause is told together', () => {
  const changes = [1, 2, 3].map((id) => aTransition({ target_id: id }))

  const [news, ...rest] = gather(changes)

  expect(rest).toEqual([])
  expect(news?.others.map((each) => each.target_id)).toEqual([2, 3])
})

test.each([
  ['another cause', { failure: aFailure({ code: 'NOPERM' }) }],
  ['another time', { at: '2026-01-01T23:00:00.000000+00:00' }],
  ['another end', { new: 'degraded' }],
] as const)('%s is told by itself', (_, other) => {
  expect(gather([aTransition(), aTransition({ target_id: 2, ...other })])).toHaveLength(2)
})
