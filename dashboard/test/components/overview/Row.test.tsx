import { screen } from '@testing-library/react'
import userEvent from '@testing-library/user-event'
import { useState } from 'react'
import { expect, test } from 'vitest'

import { MAY } from '#/api/context'
import { Row } from '#/components/overview/Row'

import { renderPage } from '../../render'
import { aFailure, aRow } from '../../values'

/** A list that is drawn again and again, with the same row in it. */
function List({ row }: { row: ReturnType<typeof aRow> }) {
  const [times, setTimes] = useState(0)
  return (
    <div role="table">
      <button type="button" onClick={() => setTimes(times + 1)}>
        drawn {times}
      </button>
      <div role="row">
        <Row row={row} stale={false} may={MAY.admin} wide stop />
      </div>
    </div>
  )
}

test('a row that is the same object is not drawn anew when its list is', async () => {
  let drawn = 0
  const row = aRow()
  Object.defineProperty(row, 'address', {
    get: () => {
      drawn += 1
      return '10.0.0.7:6379'
    },
  })
  renderPage(<List row={row} />)
  const before = drawn

  await userEvent.click(screen.getByText('drawn 0'))

  expect(screen.getByText('drawn 1')).toBeInTheDocument()
  expect(before).toBeGreaterThan(0)
  expect(drawn).toBe(before)
})

test('of a long message one line is shown', () => {
  const failure = aFailure({ message: `first line\n${'x'.repeat(5000)}`, hint: 'set it' })
  renderPage(<List row={aRow({ status: 'down', failure })} />)

  expect(screen.getByText('first line')).toBeInTheDocument()
  expect(screen.queryByText(/xxx/)).toBeNull()
})

test('a warning stands where a failure would', () => {
  renderPage(<List row={aRow({ status: 'degraded', warnings: ['the certificate ends soon'] })} />)

  expect(screen.getByText('the certificate ends soon')).toBeInTheDocument()
})

test('what is paused says nothing of its trouble', () => {
  renderPage(<List row={aRow({ status: 'down', enabled: false, failure: aFailure() })} />)

  expect(screen.getByText('Paused')).toBeInTheDocument()
  expect(screen.queryByText('invalid username-password pair')).toBeNull()
})

test.each([
  ['a:1', 'redis · a:1'],
  ['', 'redis'],
])('of a target at "%s" the kind and address are "%s"', (address, words) => {
  renderPage(<List row={aRow({ address })} />)

  const said = screen.getByTitle(`redis ${address}`.trim())
  expect(said.textContent).toBe(words)
})

test('how long a failed check took is not shown among latencies', () => {
  const { unmount } = renderPage(<List row={aRow({ seconds: 0.00067 })} />)
  expect(screen.getByText('0.67 ms')).toBeInTheDocument()
  unmount()

  renderPage(<List row={aRow({ status: 'down', seconds: 0.00067, failure: aFailure() })} />)
  expect(screen.queryByText('0.67 ms')).not.toBeInTheDocument()
})

test('what reports without a time has a dash for its latency, which is said in words, and no line', () => {
  const pool = { kind: 'pool', seconds: 0, latency: [0, 0, 0] }
  const { unmount } = renderPage(<List row={aRow(pool)} />)
  const cell = screen.getByText('no latency').closest('[role=gridcell]')
  expect(cell).toHaveTextContent('–no latency')
  expect(screen.queryByText('0 ms')).toBeNull()
  expect(screen.queryByRole('img', { name: /^Latency/ })).toBeNull()
  unmount()

  renderPage(<List row={aRow({ ...pool, status: 'down', failure: aFailure() })} />)
  expect(screen.queryByText('no latency')).toBeNull()
})
