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
