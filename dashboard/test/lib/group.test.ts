import { expect, test } from 'vitest'

import { linesOf, type Line } from '#/lib/group'

import { aRow } from '../values'

const rows = [
  aRow({ id: 1, name: 'cache', status: 'down', labels: { team: 'shop' } }),
  aRow({ id: 2, name: 'orders', kind: 'postgresql', labels: { team: 'office' } }),
  aRow({ id: 3, name: 'mail', kind: 'postgresql', labels: { team: 'shop' } }),
  aRow({ id: 4, name: 'alone', kind: 'postgresql', enabled: false }),
]
const said = (lines: Line[]) =>
  lines.map((line) => (line.type === 'row' ? line.row.name : `[${line.group.name}]`))

test('without groups there is a line for each row', () => {
  expect(said(linesOf(rows, '', []))).toEqual(['cache', 'orders', 'mail', 'alone'])
})

test('the worst group stands first, and rows keep their order inside', () => {
  expect(said(linesOf(rows, 'kind', []))).toEqual([
    '[redis]',
    'cache',
    '[postgresql]',
    'orders',
    'mail',
    'alone',
  ])
})

test('what lacks the label has a group of its own', () => {
  expect(said(linesOf(rows, 'label:team', []))).toEqual([
    '[shop]',
    'cache',
    'mail',
    '[office]',
    'orders',
    '[]',
    'alone',
  ])
})

test('it stands behind its equals', () => {
  const running = rows.map((row) => ({ ...row, enabled: true }))
  expect(said(linesOf(running, 'label:team', [])).filter((line) => line.startsWith('['))).toEqual([
    '[shop]',
    '[office]',
    '[]',
  ])
})

test('a group tells its worst status and how many there are of each', () => {
  const [heading] = linesOf(rows, 'label:team', [])

  expect(heading).toMatchObject({
    folded: false,
    group: { worst: 'down', size: 2, counts: { down: 1, up: 1, degraded: 0 } },
  })
})

test('a folded group keeps its heading only', () => {
  expect(said(linesOf(rows, 'kind', ['postgresql']))).toEqual(['[redis]', 'cache', '[postgresql]'])
})

test('a row has the same line as long as it is the same row', () => {
  const [before] = linesOf(rows, '', [])
  const [, after] = linesOf(rows, 'kind', [])

  expect(after).toBe(before)
})

test('what every object inherits is no label', () => {
  const [heading] = linesOf(rows, 'label:toString', [])

  expect(heading).toMatchObject({ type: 'group', group: { name: '', size: rows.length } })
})
