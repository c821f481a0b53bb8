import { describe, expect, it } from 'vitest'

import { describedKind, groupsOf, searched } from '#/lib/kinds'

const KINDS = [
  {
    name: 'http',
    title: 'HTTP: send a request',
    schemes: ['http', 'https'],
    local: false,
    passive: false,
  },
  { name: 'process', title: 'Process: it runs', schemes: ['process'], local: true, passive: false },
  { name: 'push', title: 'Push: a job reports in', schemes: [], local: false, passive: true },
  { name: 'own', title: 'Somebody wrote this', schemes: ['own'], local: false, passive: false },
]

describe('groupsOf', () => {
  it('puts every kind into one group, and shows no empty one', () => {
    const groups = groupsOf(KINDS)
    expect(groups.map((group) => group.of.map((kind) => kind.name))).toEqual([
      ['http', 'own'],
      ['push'],
      ['process'],
    ])
    expect(groupsOf(KINDS.slice(0, 1))).toHaveLength(1)
  })
})

describe('searched', () => {
  it.each([
    ['', 4],
    ['https://', 1],
    ['REPORTS job', 1],
    ['nothing', 0],
  ])('%j finds %i', (search, found) => {
    expect(searched(KINDS, search)).toHaveLength(found)
  })
})

describe('describedKind', () => {
  it('parts a headline, and falls back on the name', () => {
    expect(describedKind({ name: 'tcp', title: 'TCP: connect: now' })).toEqual({
      title: 'TCP',
      about: 'Connect: now',
    })
    expect(describedKind({ name: 'own', title: 'Somebody wrote this' })).toEqual({
      title: 'own',
      about: 'Somebody wrote this',
    })
  })
})
