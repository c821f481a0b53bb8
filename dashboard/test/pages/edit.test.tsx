import { screen } from '@testing-library/react'
import { expect, it } from 'vitest'

import { EditPage } from '#/pages/edit'

import { renderPage } from '../render'
import { TargetServer } from '../target-server'

it('says that a target is not there, rather than to try again', async () => {
  const server = new TargetServer()
  server.target = null
  renderPage(<EditPage />, { at: '/targets/1/edit', route: '/targets/:id/edit', api: server })
  expect(await screen.findByText('There is no such target')).toBeVisible()
  expect(screen.queryByRole('button', { name: 'Try again' })).toBeNull()
})
