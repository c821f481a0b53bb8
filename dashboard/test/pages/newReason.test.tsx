import { configure, screen, waitFor, within } from '@testing-library/react'
import userEvent from '@testing-library/user-event'
import { describe, expect, it, vi } from 'vitest'

import { TargetPage } from '#/pages/target'

import { renderPage } from '../render'
import { TargetServer } from '../target-server'
import { aFailure, aResult, aTarget, aTransition, QUOTA } from '../values'

// The page is large: on a busy machine a search by role takes its time.
vi.setConfig({ testTimeout: 30_000 })
configure({ asyncUtilTimeout: 10_000 })

describe('a reason that came after the page was built', () => {
  const strange = () => {
    const failure = aFailure({ reason: QUOTA.name })
    const last = aResult({ status: 'down', failure })
    const server = new TargetServer()
    server.target = aTarget({ health: { ...aTarget().health, status: 'down', last } })
    server.reasons = [...server.reasons, QUOTA]
    server.results = [last]
    server.changes = [aTransition({ failure })]
    renderPage(<TargetPage />, { at: '/targets/1', route: '/targets/:id', api: server })
    return { server, user: userEvent.setup() }
  }

  it('is told in the words of the API on the card and among the changes', async () => {
    strange()
    const card = await screen.findByRole('region', { name: 'Why it fails' })
    const words = 'The month’s requests are used up'
    expect(await within(card).findByRole('heading', { name: words })).toBeVisible()
    expect(card).toHaveTextContent('Wait, or buy more.')
    expect(card).toHaveTextContent('It may pass by itself')
    const changes = await screen.findByRole('list', { name: 'Changes, newest first' })
    expect(changes).toHaveTextContent(words)
  })

  it('is among the filters of the results', async () => {
    const { user, server } = strange()
    await user.click(await screen.findByRole('combobox', { name: 'Reason of the results' }))
    const offered = await screen.findAllByRole('option', { hidden: true, name: /^(auth|quota)/ })
    expect(offered.map((each) => each.textContent)).toEqual([
      'auth: The login was rejected',
      'quota spent: The month’s requests are used up',
    ])
    await user.click(offered[1] ?? document.body)
    await waitFor(() =>
      expect(server.asked.some(({ url }) => url.includes('reason=quota_spent'))).toBe(true),
    )
  })
})
