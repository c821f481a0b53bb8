import { notifications } from '@mantine/notifications'
import { act, screen, waitFor, within } from '@testing-library/react'
import userEvent from '@testing-library/user-event'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'

import { ApiError } from '#/api/problem'
import { keys } from '#/api/queries'
import type { OverviewRow, Role } from '#/api/types'
import { OverviewPage } from '#/pages/overview'

import { OverviewServer as Server } from '../overview-server'
import { renderPage } from '../render'
import { aFailure, anOverview, aRow } from '../values'

const rows = [
  aRow({ id: 1, name: 'orders', kind: 'postgresql', labels: { team: 'shop' } }),
  aRow({
    id: 2,
    name: 'cache',
    labels: { team: 'shop' },
    status: 'down',
    failure: aFailure({ hint: 'set the password' }),
    confirming: null,
  }),
  aRow({ id: 3, name: 'mail', kind: 'smtp', labels: { team: 'office' }, enabled: false }),
]

interface Shown {
  role?: Role
  at?: string
}

async function show(
  listed: readonly OverviewRow[] = rows,
  { role = 'operator', at = '/' }: Shown = {},
) {
  const server = new Server(listed)
  const shown = renderPage(<OverviewPage />, { api: server, role, at, route: '/' })
  await waitFor(() => expect(screen.queryByLabelText('Loading the targets')).toBeNull())
  return { server, user: userEvent.setup(), ...shown }
}

const listed = () =>
  screen
    .queryAllByRole('row')
    .slice(1)
    .map((row) => within(row).getAllByRole('link')[0]?.textContent)
const rowOf = (name: string): HTMLElement => {
  const row = screen.getByRole('link', { name }).closest<HTMLElement>('[role=row]')
  if (row === null) throw new Error(`${name} stands in no row`)
  return row
}

beforeEach(() => {
  window.scrollTo = () => undefined // jsdom has it only to complain
  const before = window.matchMedia
  vi.spyOn(window, 'matchMedia').mockImplementation((query) => ({
    ...before(query),
    matches: query.includes('min-width: 62em'),
  }))
})
afterEach(() => {
  vi.restoreAllMocks()
  localStorage.clear()
})

describe('the list', () => {
  test('shows the worst first, each with its status in words and why it fails', async () => {
    await show()

    expect(listed()).toEqual(['cache', 'orders', 'mail'])
    const cache = within(rowOf('cache'))
    expect(cache.getByText('Down')).toBeInTheDocument()
    expect(cache.getByText('auth')).toBeInTheDocument()
    expect(cache.getByText('invalid username-password pair')).toBeInTheDocument()
    expect(cache.getByTitle(/→ set the password/)).toBeInTheDocument()
    expect(within(rowOf('mail')).getByText('Paused')).toBeInTheDocument()
  })

  test('tells what is being confirmed and what is being checked', async () => {
    await show([
      aRow({ id: 1, name: 'a', confirming: [1, 3] }),
      aRow({ id: 2, name: 'b', checking: true }),
    ])

    expect(within(rowOf('a')).getByText('confirming 1 of 3')).toBeInTheDocument()
    expect(within(rowOf('b')).getByText('checking …')).toBeInTheDocument()
  })

  test('a name is text, whatever it says', async () => {
    const name = '<script>alert(1)</script>'
    await show([aRow({ name })])

    expect(screen.getByRole('link', { name })).toHaveAttribute('href', '/targets/1')
    expect(document.querySelector('script')).toBeNull()
  })

  test('of 10,000 targets only those in sight are in the page', async () => {
    await show(Array.from({ length: 10_000 }, (_, id) => aRow({ id: id + 1, name: `t${id}` })))

    expect(screen.getAllByRole('row').length).toBeLessThan(60)
    expect(screen.getByRole('grid', { name: 'Targets' })).toHaveAttribute('aria-rowcount', '10001')
  })

  test('arrow keys and j and k go from one target to the next', async () => {
    const { user } = await show()
    screen.getByRole('link', { name: 'cache' }).focus()

    await user.keyboard('{ArrowDown}')
    expect(screen.getByRole('link', { name: 'orders' })).toHaveFocus()
    await user.keyboard('j')
    expect(screen.getByRole('link', { name: 'mail' })).toHaveFocus()
    await user.keyboard('k')
    expect(screen.getByRole('link', { name: 'orders' })).toHaveFocus()
  })
})

describe('filters', () => {
  test('a status is a toggle with its count, and stands in the address', async () => {
    const { user, router } = await show()
    const down = screen.getByRole('button', { name: '1 Down' })
    expect(down).toHaveAttribute('aria-pressed', 'false')

    await user.click(down)

    expect(down).toHaveAttribute('aria-pressed', 'true')
    expect(listed()).toEqual(['cache'])
    expect(router.state.location.search).toBe('?status=down')
  })

  test('the back button takes a choice back', async () => {
    const { user, router } = await show()
    await user.click(screen.getByRole('button', { name: '1 Down' }))

    await act(() => router.navigate(-1))

    await waitFor(() => expect(listed()).toEqual(['cache', 'orders', 'mail']))
  })

  test('what is typed leaves only what has it, and is written into the address without a step', async () => {
    const { user, router } = await show()

    await user.keyboard('/')
    expect(screen.getByRole('searchbox', { name: 'Search targets' })).toHaveFocus()
    await user.keyboard('WRONGPASS')

    await waitFor(() => expect(listed()).toEqual(['cache']))
    await waitFor(() => expect(router.state.location.search).toBe('?q=WRONGPASS'))
    expect(router.state.historyAction).toBe('REPLACE')
    expect(screen.getByText('1 of 3 targets')).toBeInTheDocument()

    await user.keyboard('{Escape}')
    await waitFor(() => expect(listed()).toHaveLength(3))
    await waitFor(() => expect(router.state.location.search).toBe(''))
  })

  test('a slash in the search is a slash', async () => {
    const { user } = await show()
    const search = screen.getByRole('searchbox', { name: 'Search targets' })

    await user.type(search, 'a/b')

    expect(search).toHaveValue('a/b')
  })

  test('an address is the whole of what is shown', async () => {
    await show(rows, { at: '/?label=team%3Dshop&kind=redis' })

    expect(listed()).toEqual(['cache'])
  })

  test('where nothing matches one press clears the filters, and the focus goes to the search', async () => {
    const { user } = await show(rows, { at: '/?q=nowhere&status=up' })
    expect(screen.getByText('No target matches')).toBeInTheDocument()

    await user.click(screen.getByRole('button', { name: 'Clear filters' }))

    await waitFor(() => expect(listed()).toHaveLength(3))
    expect(screen.getByRole('searchbox', { name: 'Search targets' })).toHaveFocus()
    expect(screen.getByRole('searchbox', { name: 'Search targets' })).toHaveValue('')
  })

  test('what the address asks for that there is not is told, and can be taken out', async () => {
    const { user, router } = await show(rows, { at: '/?status=foo&status=down&group=bar' })
    const told =
      'No status is called “foo”. No grouping is called “bar”. The list is shown without them.'
    expect(screen.getByText(told)).toBeInTheDocument()
    expect(listed()).toEqual(['cache'])

    await user.click(screen.getByRole('button', { name: 'Remove from the address' }))

    expect(screen.queryByText(told)).toBeNull()
    expect(router.state.location.search).toBe('?status=down')
    expect(screen.getByRole('searchbox', { name: 'Search targets' })).toHaveFocus()
  })

  test('a group tells its worst status and counts, and folds', async () => {
    const { user, router } = await show(rows, { at: '/?group=label:team' })
    const shop = screen.getByRole('button', { name: /^shop/ })
    expect(shop).toHaveTextContent('1 down, 1 up')
    expect(shop).toHaveAttribute('aria-expanded', 'true')

    await user.click(shop)

    await waitFor(() => expect(screen.queryByRole('link', { name: 'cache' })).toBeNull())
    expect(shop).toHaveAttribute('aria-expanded', 'false')
    expect(router.state.location.search).toContain('folded=shop')
    expect(screen.getByRole('link', { name: 'mail' })).toBeInTheDocument()
  })
})

describe('actions', () => {
  test('a viewer is shown none', async () => {
    await show(rows, { role: 'viewer' })

    expect(screen.queryByRole('button', { name: 'Test orders now' })).toBeNull()
    expect(screen.queryByRole('link', { name: 'Edit orders' })).toBeNull()
  })

  test('a test is asked for once, as a stream', async () => {
    const { server, user } = await show()
    server.answer = () => new Promise(() => undefined)

    await user.click(screen.getByRole('button', { name: 'Test orders now' }))
    await user.click(await screen.findByRole('button', { name: 'Testing orders' }))

    const asked = server.asked.filter((request) => request.url.endsWith('/targets/1/check'))
    expect(asked).toHaveLength(1)
    expect(asked[0]?.headers.get('accept')).toBe('text/event-stream')
    expect(within(rowOf('orders')).getByText('checking …')).toBeInTheDocument()
  })

  test('what is paused can be resumed, and the other way round', async () => {
    const { server, user } = await show()

    await user.click(screen.getByRole('button', { name: 'Resume mail' }))
    await user.click(screen.getByRole('button', { name: 'Pause orders' }))

    const sent = server.asked.filter((request) => request.method === 'PATCH')
    expect(await Promise.all(sent.map((request) => request.json()))).toEqual([
      { enabled: true },
      { enabled: false },
    ])
  })

  test('a target of the file is offered nothing but a test', async () => {
    await show([aRow({ name: 'orders', origin: 'file' })])

    expect(screen.getByRole('button', { name: 'Test orders now' })).toBeInTheDocument()
    expect(screen.queryByRole('button', { name: 'Pause orders' })).not.toBeInTheDocument()
    expect(screen.queryByRole('link', { name: 'Edit orders' })).not.toBeInTheDocument()
  })

  test('what is refused all the same is told in the words of the API', async () => {
    const { server, user } = await show()
    const detail = 'orders belongs to the configuration file.'
    server.answer = () => Promise.reject(new ApiError({ status: 409, detail, errors: [] }))
    const shown = vi.spyOn(notifications, 'show')

    await user.click(screen.getByRole('button', { name: 'Pause orders' }))

    await waitFor(() => expect(shown).toHaveBeenCalled())
    expect(shown.mock.calls[0]?.[0]).toMatchObject({
      title: 'orders was not paused',
      message: detail,
    })
  })
})

describe('states', () => {
  test('until the targets are there the page says that they are loading', () => {
    renderPage(<OverviewPage />, { api: new Server(rows) })

    expect(screen.getByRole('status', { name: 'Loading the targets' })).toBeInTheDocument()
  })

  test('an error is shown in its words, and trying again helps', async () => {
    const server = new Server(rows)
    const works = server.fetch.bind(server)
    const detail = 'The database is locked.'
    server.fetch = () => Promise.reject(new ApiError({ status: 503, detail, errors: [] }))
    renderPage(<OverviewPage />, { api: server })
    expect(await screen.findByText(detail)).toBeInTheDocument()

    server.fetch = works
    await userEvent.click(screen.getByRole('button', { name: 'Try again' }))

    expect(await screen.findByRole('link', { name: 'orders' })).toBeInTheDocument()
  })

  test('with no target of one’s own an address can be pasted, and does not get into the history', async () => {
    const { user, router } = await show([aRow({ labels: { mooring: 'self' } })])
    const secret = 'redis://:secret@host'

    await user.type(screen.getByLabelText('Address'), secret)
    await user.click(screen.getByRole('button', { name: 'Continue' }))

    expect(router.state.location.pathname).toBe('/add')
    expect(router.state.location.search).toBe('')
    expect(router.state.location.state).toEqual({ address: secret })
  })

  test('with no target of one’s own Mooring’s parts are listed all the same', async () => {
    await show([aRow({ name: 'Mooring database', labels: { mooring: 'self' } })])

    expect(screen.getByRole('link', { name: 'Mooring database' })).toBeInTheDocument()
    expect(screen.getByRole('link', { name: 'Import an environment file' })).toHaveAttribute(
      'href',
      '/import',
    )
  })

  test('a viewer without any target is told who can add one', async () => {
    await show([], { role: 'viewer' })

    expect(screen.getByText('No targets yet')).toBeInTheDocument()
    expect(screen.queryByLabelText('Address')).toBeNull()
  })

  test('when the stream is broken each row says that it is what was last known', async () => {
    const { live, cache } = await show()

    live.state = { phase: 'broken', since: 0 }
    act(() => void cache.setQueryData(keys.overview, anOverview([...rows, aRow({ id: 4 })])))

    await waitFor(() => expect(screen.getAllByText('last known')).toHaveLength(4))
  })
})
