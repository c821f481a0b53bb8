import { act, fireEvent, screen, within } from '@testing-library/react'
import userEvent from '@testing-library/user-event'
import { useSyncExternalStore } from 'react'
import { beforeEach, expect, test } from 'vitest'

import { MAY, type May } from '#/api/context'
import type { OverviewRow } from '#/api/types'
import { TargetList } from '#/components/overview/TargetList'
import { linesOf } from '#/lib/group'

import { renderPage } from '../../render'
import { aFailure, aRow } from '../../values'

const named = (...names: readonly string[]) =>
  names.map((name, index) => aRow({ id: index + 1, name, kind: index % 2 === 0 ? 'redis' : 'tcp' }))

/** What the list is of; a test gives others meanwhile. */
let listed: readonly OverviewRow[] = []
let drawAnew = () => undefined as void
const listen = (listener: () => void) => {
  drawAnew = listener
  return () => undefined
}
function give(rows: readonly OverviewRow[]) {
  listed = rows
  act(drawAnew)
}

function List({ group, may }: { group: string; may: May }) {
  const rows = useSyncExternalStore(listen, () => listed)
  return (
    <>
      <button type="button">before</button>
      <TargetList
        lines={linesOf(rows, group, [])}
        stale={false}
        may={may}
        wide
        onFold={() => undefined}
      />
      <button type="button">after</button>
    </>
  )
}

function show(rows: readonly OverviewRow[], group = '', may = MAY.admin) {
  listed = rows
  renderPage(<List group={group} may={may} />)
  return userEvent.setup()
}

const link = (name: string) => screen.getByRole('link', { name })
const button = (name: string) => screen.getByRole('button', { name })
const three = named('a', 'b', 'c')
const [a, b, c] = three as [OverviewRow, OverviewRow, OverviewRow]

beforeEach(() => {
  window.scrollTo = () => undefined // jsdom has it only to complain
})

test('the list is one stop of the tab key, and a row’s own actions come after its name', async () => {
  const user = show(three)
  await user.click(button('before'))
  const passed: string[] = []
  for (let step = 0; step < 5; step += 1) {
    await user.tab()
    const at = document.activeElement
    passed.push(at?.getAttribute('aria-label') ?? at?.textContent ?? '')
  }

  expect(passed).toEqual(['a', 'Test a now', 'Pause a', 'Edit a', 'after'])
})

test('arrow keys, Home, End and pages go from row to row, and no further than the ends', async () => {
  const user = show(named(...Array.from({ length: 40 }, (_, index) => `t${index}`)))
  act(() => link('t0').focus())

  for (const [key, at] of [
    ['{ArrowDown}', 't1'],
    ['{ArrowUp}', 't0'],
    ['{ArrowUp}', 't0'],
    ['{End}', 't39'],
    ['{ArrowDown}', 't39'],
    ['{Home}', 't0'],
    ['{PageDown}', 't10'], // 768 pixels less what covers them, 56 a row, one seen twice
    ['{PageUp}', 't0'],
  ] as const) {
    await user.keyboard(key)
    expect([key, document.activeElement?.textContent]).toEqual([key, at])
  }
})

test('the tab key comes back to where it left the list', async () => {
  const user = show(three)
  act(() => link('a').focus())
  await user.keyboard('{ArrowDown}')
  await user.click(button('before'))

  await user.tab()

  expect(link('b')).toHaveFocus()
})

test('a row whose action is clicked becomes the one that the tab key comes to', async () => {
  const user = show(three)

  await user.click(button('Pause c'))
  await user.tab()

  expect(link('Edit c')).toHaveFocus()
})

test('arrows to the side go through what can be done with a row', async () => {
  const user = show(three)
  act(() => link('b').focus())

  await user.keyboard('{ArrowRight}{ArrowRight}')
  expect(button('Pause b')).toHaveFocus()
  await user.keyboard('{ArrowLeft}')
  expect(button('Test b now')).toHaveFocus()
  await user.keyboard('{ArrowDown}')
  expect(link('c')).toHaveFocus()
})

test('with another key held the keys are the browser’s', () => {
  show(three)
  act(() => link('a').focus())

  expect(fireEvent.keyDown(link('a'), { key: 'End', ctrlKey: true })).toBe(true)
  expect(link('a')).toHaveFocus()
})

test('the focus stays on its target when the list is sorted anew, and the keys go on from there', async () => {
  const user = show(three)
  act(() => link('a').focus())

  give([b, c, a])
  expect(link('a')).toHaveFocus()
  await user.keyboard('{ArrowUp}')

  expect(link('c')).toHaveFocus()
})

test('a target that is sorted far out of sight keeps the focus', () => {
  const many = named(...Array.from({ length: 500 }, (_, index) => `t${index}`))
  show(many)
  act(() => link('t0').focus())

  give([...many.slice(1), ...many.slice(0, 1)])

  expect(link('t0')).toHaveFocus()
})

test('when the target that has the focus goes, the one that takes its place has it', () => {
  show(three)
  act(() => button('Pause b').focus())

  give([a, c])
  expect(link('c')).toHaveFocus()
  give([a])
  expect(link('a')).toHaveFocus()
})

test('a target that goes takes no focus that is elsewhere', async () => {
  const user = show(three)
  act(() => link('b').focus())
  await user.click(button('before'))

  give([a, c])

  expect(button('before')).toHaveFocus()
})

test('the keys go through the headings of groups too', async () => {
  const user = show(three, 'kind')
  act(() => screen.getByRole('button', { name: /^redis/ }).focus())

  await user.keyboard('{ArrowDown}')
  expect(link('a')).toHaveFocus()
  await user.keyboard('{End}{ArrowUp}')
  expect(screen.getByRole('button', { name: /^tcp/ })).toHaveFocus()
  expect(screen.getByRole('grid', { name: 'Targets' })).toHaveAttribute('aria-rowcount', '6')
})

test('a name is read out with its status and its trouble', () => {
  show([
    aRow({ name: 'a', status: 'down', failure: aFailure({ stage: 'tcp', reason: 'refused' }) }),
  ])

  expect(link('a')).toHaveAccessibleDescription('Down tcp: refused invalid username-password pair')
  const row = screen.getAllByRole('row')[1]
  expect(within(row as HTMLElement).getByRole('rowheader')).toContainElement(link('a'))
})

test('who may do nothing with a target has no place for that', () => {
  const headings = () => screen.getAllByRole('columnheader').map((each) => each.textContent)
  show([a], '', MAY.viewer)

  expect(headings()).toEqual(['Status', 'Target', 'Trouble', 'Latency', 'Uptime 24 h', 'Checked'])
  const [, row] = screen.getAllByRole('row')
  expect(row?.children).toHaveLength(6)
})
