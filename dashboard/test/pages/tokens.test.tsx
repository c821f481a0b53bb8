import { screen, waitFor, within } from '@testing-library/react'
import userEvent from '@testing-library/user-event'
import { afterEach, describe, expect, it, vi } from 'vitest'

import type { Token } from '#/api/types'
import { TokensPage } from '#/pages/tokens'

import { renderPage } from '../render'

const TESS: Token = {
  id: 1,
  name: 'Tess',
  role: 'admin',
  created_at: '2026-01-01T00:00:00.000000+00:00',
  last_used_at: null,
}
const DEPLOY: Token = { ...TESS, id: 2, name: '<b>deploy</b>', role: 'operator' }

const json = (body: unknown, status = 200) =>
  new Response(status === 204 ? null : JSON.stringify(body), {
    status,
    headers: { 'content-type': 'application/json' },
  })

/** Answer each request by its method, and keep what was asked. */
function answering(answers: Record<string, () => Response>) {
  const asked: Request[] = []
  vi.stubGlobal('fetch', (request: Request) => {
    asked.push(request.clone() as Request)
    const answer = answers[request.method]
    return Promise.resolve(answer === undefined ? json({}, 500) : answer())
  })
  return asked
}

const listing = () => json({ items: [TESS, DEPLOY], next: null })

afterEach(() => {
  vi.unstubAllGlobals()
})

describe('the list of tokens', () => {
  it('names each, as text, with its role and its use', async () => {
    answering({ GET: listing })
    renderPage(<TokensPage />)

    const row = (await screen.findByText('<b>deploy</b>')).closest('tr')
    expect(row).toHaveTextContent('operator')
    expect(row).toHaveTextContent('never')
    expect(row).not.toHaveTextContent('You are signed in with it')
    expect(screen.getByText('Tess').closest('td')).toHaveTextContent('You are signed in with it')
  })

  it.each(['viewer', 'operator'] as const)('is not asked for by a %s, who is told why', (role) => {
    const asked = answering({ GET: listing })
    renderPage(<TokensPage />, { role })

    expect(screen.getByText('Tokens are for admins')).toBeVisible()
    expect(screen.queryByRole('button', { name: 'New token' })).toBeNull()
    expect(asked).toEqual([])
  })

  it('says in the API’s words that it cannot be read', async () => {
    answering({ GET: () => json({ detail: 'The store does not answer.' }, 503) })
    renderPage(<TokensPage />)

    expect(await screen.findByRole('alert')).toHaveTextContent('The store does not answer.')
  })
})

describe('making a token', () => {
  it('shows the secret once, with what to do with it', async () => {
    const asked = answering({
      GET: listing,
      POST: () => json({ ...DEPLOY, token: 'mrg_secret' }, 201),
    })
    const user = userEvent.setup()
    renderPage(<TokensPage />)

    await user.click(screen.getByRole('button', { name: 'New token' }))
    await user.type(await screen.findByLabelText('Name'), 'deploy')
    await user.click(screen.getByRole('radio', { name: 'operator' }))
    await user.click(screen.getByRole('button', { name: 'Make token' }))

    const dialog = await screen.findByRole('dialog', { name: 'Your new token' })
    expect(within(dialog).getByText('mrg_secret')).toBeVisible()
    expect(dialog).toHaveTextContent('curl -fsS')
    expect(dialog).toHaveTextContent('mooring targets list')
    const post = asked.find((each) => each.method === 'POST')
    expect(await post?.json()).toEqual({ name: 'deploy', role: 'operator' })

    await user.keyboard('{Escape}')
    expect(dialog).toBeVisible()
    await user.click(within(dialog).getByRole('button', { name: 'I have kept it' }))
    await waitFor(() => expect(screen.queryByText('mrg_secret')).toBeNull())
  })

  it('tells what is wrong with a name at the name', async () => {
    const errors = [{ field: 'name', message: 'has to have a character at least' }]
    answering({ GET: listing, POST: () => json({ detail: 'Mistakes.', errors }, 422) })
    const user = userEvent.setup()
    renderPage(<TokensPage />)

    await user.click(screen.getByRole('button', { name: 'New token' }))
    await user.click(await screen.findByRole('button', { name: 'Make token' }))

    await waitFor(() =>
      expect(screen.getByLabelText('Name')).toHaveAccessibleDescription(
        expect.stringContaining('has to have a character at least'),
      ),
    )
  })
})

const revoke = async (name: string) => {
  const user = userEvent.setup()
  renderPage(<TokensPage />)
  await user.click(await screen.findByRole('button', { name: `Revoke ${name}` }))
  return { user, dialog: await screen.findByRole('dialog', { name: `Revoke ${name}?` }) }
}

describe('revoking a token', () => {
  it('asks first', async () => {
    const asked = answering({ GET: listing, DELETE: () => json(null, 204) })
    const { user, dialog } = await revoke('<b>deploy</b>')
    expect(within(dialog).queryByText(/You are signed in/)).toBeNull()

    await user.click(within(dialog).getByRole('button', { name: 'Revoke' }))

    await waitFor(() => expect(asked.some((each) => each.url.endsWith('/tokens/2'))).toBe(true))
  })

  it('warns of no other token, whatever its name and role', async () => {
    answering({ GET: () => json({ items: [{ ...TESS, id: 7 }], next: null }) })
    const { dialog } = await revoke('Tess')
    expect(dialog).not.toHaveTextContent('You are signed in')
    expect(screen.queryByText('You are signed in with it')).toBeNull()
  })

  it('warns those whose own it is, and shows why it is refused', async () => {
    const detail = "this is the last admin's token: make another one first"
    answering({ GET: listing, DELETE: () => json({ detail }, 409) })
    const { user, dialog } = await revoke('Tess')
    expect(dialog).toHaveTextContent('You are signed in with this token')

    await user.click(within(dialog).getByRole('button', { name: 'Revoke' }))

    expect(await within(dialog).findByText(detail)).toBeVisible()
  })
})
