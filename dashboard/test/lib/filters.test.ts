import { expect, test } from 'vitest'

import {
  choicesOf,
  type Filters,
  filterRows,
  isFiltered,
  NO_FILTERS,
  readFilters,
  unknownIn,
  writeFilters,
} from '#/lib/filters'

import { aFailure, aRow } from '../values'

const rows = [
  aRow({ id: 1, name: 'orders', kind: 'postgresql', labels: { team: 'shop', env: 'live' } }),
  aRow({ id: 2, name: 'cache', labels: { team: 'shop', env: 'test' }, status: 'down' }),
  aRow({ id: 3, name: 'mail', kind: 'smtp', labels: { team: 'office' }, enabled: false }),
]
const chosen = (some: Partial<Filters>) =>
  filterRows(rows, { ...NO_FILTERS, ...some }).rows.map((row) => row.name)

test('an address says all that is chosen, and reading it gives the same back', () => {
  const filters: Filters = {
    q: 'a & b',
    statuses: ['down', 'paused'],
    kinds: ['redis', 'smtp'],
    labels: ['team=shop', 'x=a=b'],
    group: 'label:team',
    sort: 'latency',
    folded: ['shop', ''],
  }

  expect(readFilters(new URLSearchParams(writeFilters(filters).toString()))).toEqual(filters)
})

test('an address without anything in it is the usual list, and is written as nothing', () => {
  expect(readFilters(new URLSearchParams())).toEqual(NO_FILTERS)
  expect(writeFilters(NO_FILTERS).toString()).toBe('')
})

test('what an address says that is not known is left out', () => {
  const params = new URLSearchParams('status=odd&status=up&status=up&sort=odd&group=odd&label=odd')

  expect(readFilters(params)).toEqual({ ...NO_FILTERS, statuses: ['up'] })
})

test('of what an address says that is not known each is named once, and of many the first', () => {
  const said = (search: string) => unknownIn(new URLSearchParams(search))

  expect(said('status=foo&status=up&status=foo&group=odd')).toEqual([
    'No status is called “foo”.',
    'No grouping is called “odd”.',
  ])
  expect(said('sort=odd&label=odd')).toEqual([
    'A label is written key=value, which this is not: “odd”.',
    'No order is called “odd”.',
  ])
  expect(said('status=a&status=b&status=c&status=d&status=e')).toEqual([
    'No status is called “a”, “b”, “c”, 2 more.',
  ])
  expect(said(`status=${'x'.repeat(5000)}`)).toEqual([`No status is called “${'x'.repeat(60)}…”.`])
  expect(
    said('status=up&group=label:team&sort=name&label=a%3Db&kind=x&q=y&status=&group='),
  ).toEqual([])
})

test('every word of a search has to occur, in whatever place and case', () => {
  expect(chosen({ q: 'SHOP cache' })).toEqual(['cache'])
  expect(chosen({ q: '  ' })).toEqual(['orders', 'cache', 'mail'])
  expect(chosen({ q: 'nowhere' })).toEqual([])
})

test('a search finds why a target fails', () => {
  const failing = aRow({ failure: aFailure({ message: 'Connection refused by peer' }) })

  expect(filterRows([...rows, failing], { ...NO_FILTERS, q: 'refused' }).rows).toEqual([failing])
})

test('statuses and kinds are alternatives, and a paused target is nothing but paused', () => {
  expect(chosen({ statuses: ['down', 'paused'] })).toEqual(['cache', 'mail'])
  expect(chosen({ statuses: ['up'] })).toEqual(['orders'])
  expect(chosen({ kinds: ['smtp', 'redis'] })).toEqual(['cache', 'mail'])
})

test('labels of one key are alternatives, those of different keys all have to hold', () => {
  expect(chosen({ labels: ['team=shop', 'team=office'] })).toEqual(['orders', 'cache', 'mail'])
  expect(chosen({ labels: ['team=shop', 'env=test'] })).toEqual(['cache'])
})

test('a count tells what its button would show: the other filters hold, the statuses do not', () => {
  const { counts } = filterRows(rows, { ...NO_FILTERS, q: 'shop', statuses: ['paused'] })

  expect(counts).toEqual({ down: 1, degraded: 0, unknown: 0, up: 1, paused: 0 })
})

test('grouping and order leave nothing out, a search does', () => {
  expect(isFiltered({ ...NO_FILTERS, group: 'kind', sort: 'name', q: ' ' })).toBe(false)
  expect(isFiltered({ ...NO_FILTERS, q: 'x' })).toBe(true)
})

test('what can be chosen is what there is', () => {
  expect(choicesOf(rows)).toEqual({
    kinds: ['postgresql', 'redis', 'smtp'],
    labels: ['env=live', 'env=test', 'team=office', 'team=shop'],
    labelKeys: ['env', 'team'],
  })
})

test('what every object inherits is no label', () => {
  expect(chosen({ labels: [`toString=${String(Object.prototype.toString)}`] })).toEqual([])
})
