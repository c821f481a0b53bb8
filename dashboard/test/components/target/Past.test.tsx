import { screen, waitFor } from '@testing-library/react'
import { useState } from 'react'
import userEvent from '@testing-library/user-event'
import { expect, it } from 'vitest'

import { Past } from '#/components/target/Past'

import { renderPage } from '../../render'
import { TargetServer } from '../../target-server'

function Change() {
  const [since, setSince] = useState<string | null>(null)
  return (
    <>
      <button onClick={() => setSince('2026-01-02T03:04:05.678901+00:00')}>change</button>
      <Past id={1} kind={undefined} since={since} />
    </>
  )
}

it('is read anew once the status has changed, or is known at last', async () => {
  const server = new TargetServer()
  renderPage(<Change />, { api: server })
  await screen.findByRole('slider', { name: /^Latency by stage/ })
  expect(server.count('/history')).toBe(1)
  await userEvent.click(screen.getByRole('button', { name: 'change' }))
  expect(screen.getByRole('slider', { name: /^Latency by stage/ })).toBeVisible()
  await waitFor(() => expect(server.count('/history')).toBe(2))
})

it('draws no chart of latencies where no check passed, and says so', async () => {
  const server = new TargetServer()
  const nothing = { min: null, mean: null, max: null, p50: null, p95: null, stages: {} }
  const buckets = server.past.buckets.map((each) => ({ ...each, ...nothing, failures: each.count }))
  server.past = { ...server.past, buckets, uptime: 0 }
  renderPage(<Past id={1} kind={undefined} since={null} />, { api: server })
  expect(await screen.findByText(/^No check passed in the last 24 hours/)).toBeVisible()
  expect(screen.getByRole('slider', { name: /^Uptime/ })).toBeVisible()
  expect(screen.queryByRole('slider', { name: /^Latency/ })).toBeNull()
  expect(screen.queryByRole('list', { name: 'Stages' })).toBeNull()
})
