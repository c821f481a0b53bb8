import { expect, test } from 'vitest'

import type { Transition } from '#/api/types'
import { because, gather, happened } from '#/lib/feed'

import { aFailure } from '../overview-rows'

const change = (some: Partial<Transition> = {}): Transition => ({
  target_id: 1,
  old: 'up',
  new: 'down',
  at: '2026-01-02T00:00:00.000000+00:00',
  failure: aFailure(),
  note: null,
  ...some,
})

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
  expect(because(change())).toBe('auth WRONGPASS')
  expect(because(change({ failure: aFailure({ stage: null, code: '', reason: 'config' }) }))).toBe(
    'config',
  )
  expect(because(change({ failure: null, note: 'Mooring was stopped' }))).toBe(
    'Mooring was stopped',
  )
  expect(because(change({ failure: null }))).toBeNull()
})

test('what happened to many within a minute for one cause is told together', () => {
  const changes = [1, 2, 3].map((id) => change({ target_id: id }))

  const [news, ...rest] = gather(changes)

  expect(rest).toEqual([])
  expect(news?.others.map((each) => each.target_id)).toEqual([2, 3])
})

test.each([
  ['another cause', { failure: aFailure({ code: 'NOPERM' }) }],
  ['another time', { at: '2026-01-01T23:00:00.000000+00:00' }],
  ['another end', { new: 'degraded' }],
] as const)('%s is told by itself', (_, other) => {
  expect(gather([change(), change({ target_id: 2, ...other })])).toHaveLength(2)
})
