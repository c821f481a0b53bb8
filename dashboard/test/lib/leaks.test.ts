import { expect, it } from 'vitest'

import { leakClasses, shortSite } from '#/lib/leaks'

import { aLeak } from '../pool-values'

it('leaks stand by class, the certain ones first, and by the line that took most', () => {
  const classes = leakClasses([
    aLeak({ kind: 'busy' }),
    aLeak({ site: 'a.py:1', held: 5 }),
    aLeak({ site: 'b.py:2', held: 7 }),
    aLeak({ site: 'b.py:2', held: 9 }),
    aLeak({ kind: 'suspect' }),
  ])
  const told = classes.map(({ kind, count, sites }) => [
    kind,
    count,
    sites.map(({ site, leaks }) => [site, leaks.map(({ held }) => held)]),
  ])
  expect(told).toEqual([
    [
      'abandoned',
      3,
      [
        ['b.py:2', [9, 7]],
        ['a.py:1', [5]],
      ],
    ],
    ['suspect', 1, [['shop/orders.py:88', [12]]]],
    ['busy', 1, [['shop/orders.py:88', [12]]]],
  ])
})

it('one line whose name stands for two functions is told as two', () => {
  const [told] = leakClasses([aLeak({ function: 'a' }), aLeak({ function: 'b' })])
  expect(told?.sites.map((site) => site.function)).toEqual(['a', 'b'])
})

it.each([
  ['/srv/shop/orders.py:88', 'shop/orders.py:88'],
  ['C:\\shop\\orders.py:88', 'shop/orders.py:88'],
  ['orders.py:88', 'orders.py:88'],
])('%s is short for a heading', (site, short) => {
  expect(shortSite(site)).toBe(short)
})
