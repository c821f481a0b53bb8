import { act, screen, waitFor, waitForElementToBeRemoved } from '@testing-library/react'
import userEvent from '@testing-library/user-event'
import { expect, it } from 'vitest'

import { keys } from '#/api/queries'
import type { Role } from '#/api/types'
import { AddPage } from '#/pages/add'
import { EditPage } from '#/pages/edit'
import { ImportPage } from '#/pages/import'

import { renderPage } from '../../render'
import { TargetServer } from '../../target-server'
import { aKind } from '../../values'

const FORMS = [
  ['add', AddPage, 'Paste an address'],
  ['edit', EditPage, /^Address/],
  ['import', ImportPage, 'Paste or drop it here'],
] as const

function open(Page: () => React.ReactNode, role: Role) {
  const server = new TargetServer()
  server.kind = aKind({
    settings: { required: ['url'], properties: { url: { type: 'string', title: 'Address' } } },
  })
  const at = '/targets/1'
  const page = renderPage(<Page />, { role, at, route: '/targets/:id', api: server })
  const becomes = (now: Role) =>
    act(() => page.cache.setQueryData(keys.session, (old: object) => ({ ...old, role: now })))
  return { ...page, server, becomes }
}

it.each(FORMS)('keeps what was typed to %s for who may save it', async (_, Page, label) => {
  const { becomes } = open(Page, 'operator')
  const field = await screen.findByRole('textbox', { name: label })
  await userEvent.clear(field)
  await userEvent.type(field, 'typed')
  becomes('viewer')
  expect(await screen.findByRole('alert')).toHaveTextContent(
    'This session may not save it' +
      'You are signed in as viewer: you may look. What was typed here is kept for an operator or an ' +
      'admin to save.',
  )
  becomes('admin')
  await waitForElementToBeRemoved(screen.queryByRole('alert'))
  expect(screen.getByRole('textbox', { name: label })).toBe(field)
  expect(field).toHaveValue('typed')
})

it('opens for who comes to have the right, and stays then', async () => {
  const { becomes } = open(AddPage, 'viewer')
  expect(screen.queryByRole('textbox')).toBeNull()
  becomes('operator')
  const field = await screen.findByRole('textbox', { name: 'Paste an address' })
  becomes('viewer')
  expect(await screen.findByText('This session may not save it')).toBeVisible()
  expect(field).toBeVisible()
})

it('ends the session where somebody else is to sign in', async () => {
  const { becomes, server } = open(AddPage, 'operator')
  await screen.findByRole('textbox', { name: 'Paste an address' })
  becomes('viewer')
  await userEvent.click(await screen.findByRole('button', { name: 'Sign in as somebody else' }))
  await waitFor(() => {
    const asked = server.asked.filter(({ url }) => url.endsWith('/api/v1/session'))
    expect(asked.map(({ method }) => method)).toEqual(['DELETE', 'GET'])
  })
})

it('stays where the kinds are read anew and do not come', async () => {
  const server = new TargetServer()
  const { cache } = renderPage(<AddPage />, { api: server })
  const field = await screen.findByRole('textbox', { name: 'Paste an address' })
  await userEvent.type(field, 'typed')
  server.kinds = () => {
    throw new Error('cut')
  }
  await act(() => cache.refetchQueries({ queryKey: keys.kinds }))
  expect(cache.getQueryState(keys.kinds)?.status).toBe('error')
  await userEvent.type(field, ' on')
  expect(screen.getByRole('textbox', { name: 'Paste an address' })).toHaveValue('typed on')
})
