import { MantineProvider } from '@mantine/core'
import { Notifications } from '@mantine/notifications'
import { QueryClientProvider } from '@tanstack/react-query'
import { render, screen } from '@testing-library/react'
import userEvent from '@testing-library/user-event'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { createMemoryRouter, RouterProvider } from 'react-router'

import { Api } from '#/api/client'
import { ApiContext, MAY } from '#/api/context'
import { makeCache } from '#/app/cache'
import { SignedIn } from '#/app/SignedIn'
import { RowActions } from '#/components/overview/RowActions'
import { TestAllButton } from '#/components/testAll/TestAllButton'
import { AddPage } from '#/pages/add'
import { TargetPage } from '#/pages/target'

import { aKind, anOverview, aPast, aResult, aRow, aTarget } from '../values'

const ENDED = 'The session has ended; sign in again.'
const SESSION = { name: 'Tess', role: 'operator', csrf: 'csrf', expires_at: null, token_id: 1 }

/** What each path answers while the session lasts. */
const ANSWERS: readonly [RegExp, object][] = [
  [/session$/, SESSION],
  [/overview$/, anOverview([aRow()])],
  [/kinds$/, { items: [aKind()], next: null, common: {}, reasons: [] }],
  [/history$/, aPast()],
  [/(results|failures|transitions)$/, { items: [], next: null }],
  [/targets\/1$/, aTarget({ health: { ...aTarget().health, last: aResult() } })],
]

let ended = false
let asked: string[] = []

async function answer(request: Request): Promise<Response> {
  const { pathname } = new URL(request.url)
  asked.push(pathname)
  if (ended) return Response.json({ status: 401, detail: ENDED, errors: [] }, { status: 401 })
  const found = ANSWERS.find(([path]) => path.test(pathname))
  return found === undefined ? Response.json({}, { status: 404 }) : Response.json(found[1])
}

beforeEach(() => {
  ended = false
  asked = []
  vi.stubGlobal('fetch', answer)
})
afterEach(() => {
  vi.unstubAllGlobals()
})

function open(path: string) {
  const api = new Api()
  const router = createMemoryRouter(
    [
      {
        element: <SignedIn />,
        children: [
          { path: 'targets/:id', element: <TargetPage /> },
          { path: 'add', element: <AddPage /> },
          { path: 'row', element: <RowActions {...aRow()} may={MAY.operator} tabIndex={0} /> },
          { path: 'all', element: <TestAllButton /> },
        ],
      },
    ],
    { initialEntries: [path] },
  )
  render(
    <MantineProvider env="test">
      <ApiContext value={api}>
        <QueryClientProvider client={makeCache(api)}>
          <RouterProvider router={router} />
          <Notifications />
        </QueryClientProvider>
      </ApiContext>
    </MantineProvider>,
  )
}

/** Press it while nobody is signed in any more. */
async function pressed(name: RegExp | string) {
  const button = await screen.findByRole('button', { name })
  ended = true
  await userEvent.click(button)
}

describe('whose session ended and who presses', () => {
  it.each([
    ['/targets/1', 'Test now'],
    ['/targets/1', 'Pause'],
    ['/row', /^Test orders/],
  ])('on %s the button %s is asked to sign in, and told nothing else', async (path, name) => {
    open(path)
    await pressed(name)
    expect(await screen.findByRole('dialog', { name: 'Your session has ended' })).toBeVisible()
    expect(screen.queryByText(ENDED)).toBeNull()
    expect(screen.queryByRole('alert', { hidden: true })).toBeNull()
  })

  it('to test all finds why nothing was tested, and no more', async () => {
    open('/all')
    await pressed(/^Test all/)
    expect(await screen.findByRole('dialog', { name: 'Your session has ended' })).toBeVisible()
    expect(screen.queryByText(ENDED)).toBeNull()
    expect(screen.getByText('Your session had ended.')).toBeInTheDocument()
  })

  it('in a form finds it as it was', async () => {
    open('/add')
    await userEvent.type(
      await screen.findByRole('textbox', { name: 'Paste an address' }),
      'postgresql://db.example/shop',
    )
    await pressed('Test')
    expect(await screen.findByRole('dialog', { name: 'Your session has ended' })).toBeVisible()
    expect(screen.queryByText(ENDED)).toBeNull()
    expect(screen.getByText('A test proves, step by step')).toBeInTheDocument()
    expect(screen.getByText('Not tested yet.')).toBeInTheDocument()
  })
})

it('asks once who is signed in where nobody is', async () => {
  ended = true
  open('/all')
  await vi.waitFor(() => expect(asked).toContain('/api/v1/session'))
  expect(asked).toEqual(['/api/v1/session'])
})
