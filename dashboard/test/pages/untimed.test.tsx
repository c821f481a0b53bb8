import { configure, screen } from '@testing-library/react'
import { expect, it, vi } from 'vitest'

import { TargetPage } from '#/pages/target'

import { renderPage } from '../render'
import { TargetServer } from '../target-server'
import { aResult, aTarget } from '../values'

vi.setConfig({ testTimeout: 30_000 })
configure({ asyncUtilTimeout: 10_000 })

it('what reports without a time, as pools do, has no latency anywhere on its page', async () => {
  const server = new TargetServer()
  const last = aResult({ seconds: 0, trigger: 'push', stages: [] })
  server.target = aTarget({ kind: 'pool', health: { ...aTarget().health, last } })
  server.results = [last]
  const untimed = { min: 0, mean: 0, max: 0, p50: 0, p95: 0, stages: {}, failures: 0 }
  const buckets = server.past.buckets.map((each) => ({ ...each, ...untimed }))
  server.past = { ...server.past, buckets }
  renderPage(<TargetPage />, {
    role: 'viewer',
    at: '/targets/1',
    route: '/targets/:id',
    api: server,
  })

  expect(await screen.findByText(/^It reports by itself and tells no time/)).toBeVisible()
  expect(await screen.findByText('reported')).toBeVisible()
  const past = screen.getByRole('region', { name: 'Latency and uptime' })
  expect(past).toHaveTextContent('Mean–Slowest–')
  expect(screen.getByRole('slider', { name: /^Uptime/ })).toBeVisible()
  expect(screen.queryByRole('slider', { name: /^Latency/ })).toBeNull()
  const told = screen.getByRole('region', { name: 'Last check' })
  expect(told).not.toHaveTextContent('took')
  expect(document.body).not.toHaveTextContent('0 ms')
})
