import { act, screen, waitFor, within } from '@testing-library/react'
import userEvent from '@testing-library/user-event'
import { beforeEach, describe, expect, it, vi } from 'vitest'

import { PoolsPage } from '#/pages/pools'

import { aLeak, anAlert, aPool, aPoolOf } from '../pool-values'
import { serving } from '../pools-server'
import { renderPage } from '../render'
import { aTransition } from '../values'

const row = async (name: string) =>
  (await screen.findByRole('link', { name })).closest<HTMLElement>('[role="row"]') as HTMLElement

beforeEach(() => {
  window.scrollTo = () => undefined // jsdom has it only to complain
})

/** Let the window be one in which the list has columns. */
function wide() {
  const narrow = window.matchMedia
  vi.spyOn(window, 'matchMedia').mockImplementation((query) => ({
    ...narrow(query),
    matches: query === '(min-width: 68em)',
  }))
}

describe('a pool in the list', () => {
  it('tells its use against the limit, and what is counted', async () => {
    serving([
      aPool({
        totals: { used: 7, waiting: 2, peak: 9, timeouts: 4, instances: 3 },
        leaks: [aLeak(), aLeak({ kind: 'busy' })],
      }),
    ])
    wide()
    renderPage(<PoolsPage />)

    const cells = within(await row('shop/main')).getAllByRole('gridcell')
    expect(cells.map((cell) => cell.textContent)).toEqual([
      'Fine',
      '7 of 10',
      '2',
      '9',
      '4',
      '1 abandoned1 busy',
      '',
    ])
    expect(screen.getByText('sqlalchemy · 3 processes')).toBeInTheDocument()
  })

  it('claims no zeros of a pool that nobody reports', async () => {
    serving([aPool({ totals: { instances: 0, used: 0, limit: null, peak: 0, timeouts: 3 } })])
    wide()
    renderPage(<PoolsPage />)

    const cells = within(await row('shop/main')).getAllByRole('gridcell')
    const unknown = '–not known'
    expect(cells.slice(1).map((cell) => cell.textContent)).toEqual([
      unknown,
      unknown,
      unknown,
      '3',
      unknown,
      '',
    ])
  })

  it('says the worst of what is wrong and what to do, also of its name', async () => {
    const worst = anAlert({ severity: 'critical', rule: 'abandoned', message: '1 was lost' })
    serving([aPool({ alerts: [anAlert(), worst] })])
    renderPage(<PoolsPage />)

    const link = await screen.findByRole('link', { name: 'shop/main' })
    expect(link).toHaveAccessibleDescription(
      'Critical 1 was lost and 1 more Hold them for less in shop/orders.py:88.',
    )
    expect(link).toHaveAttribute('href', '/pools/7')
  })

  it('says that it was not heard, and since when', async () => {
    serving([aPool({ totals: { instances: 0, used: 0, limit: null }, heard_at: null })])
    renderPage(<PoolsPage />)

    const told = await row('shop/main')
    expect(told).toHaveTextContent('Silentheard never')
    expect(told).toHaveTextContent('no process reports it')
    expect(told).not.toHaveTextContent('no limit')
  })
})

describe('the list of pools', () => {
  const two = [aPoolOf(1, 'shop'), aPoolOf(2, 'billing', { alerts: [anAlert()] })]
  const names = () => screen.getAllByRole('link').map((link) => link.textContent)

  it('has the worst first, and sums all up', async () => {
    serving(two)
    renderPage(<PoolsPage />)

    await row('shop/main')
    expect(names()).toEqual(['billing/main', 'shop/main'])
    expect(screen.getByText('2 pools of 2 services: 1 warning')).toBeVisible()
  })

  it('shows what the address asks for, and all once the filters are cleared', async () => {
    serving(two)
    const { router } = renderPage(<PoolsPage />, { at: '/pools?service=shop' })

    await row('shop/main')
    expect(names()).toEqual(['shop/main'])
    await userEvent.click(screen.getByRole('button', { name: 'Clear filters' }))
    expect(names()).toEqual(['billing/main', 'shop/main'])
    expect(router.state.location.search).toBe('')
    expect(screen.getByRole('searchbox', { name: 'Search pools' })).toHaveFocus()
  })

  it('writes what is searched for into the address', async () => {
    serving(two)
    const { router } = renderPage(<PoolsPage />, { at: '/pools' })

    await row('shop/main')
    await userEvent.type(screen.getByRole('searchbox', { name: 'Search pools' }), 'bill')
    expect(names()).toEqual(['billing/main'])
    await waitFor(() => expect(router.state.location.search).toBe('?q=bill'))
  })

  it('is to be had as files', async () => {
    serving(two)
    renderPage(<PoolsPage />, { role: 'viewer' })

    await userEvent.click(await screen.findByRole('button', { name: 'Export' }))
    const links = await screen.findAllByRole('menuitem')
    const paths = links.map((link) => new URL(link.getAttribute('href') ?? '', document.baseURI))
    expect(paths.map(({ pathname, search }) => pathname + search)).toEqual([
      '/api/v1/pools',
      '/api/v1/pools?format=csv',
      '/metrics',
    ])
  })

  it('is searched after a press of /', async () => {
    serving(two)
    renderPage(<PoolsPage />)

    await row('shop/main')
    await userEvent.keyboard('/bill')
    expect(names()).toEqual(['billing/main'])
  })

  it('says that no pool matches', async () => {
    serving(two)
    renderPage(<PoolsPage />, { at: '/pools?q=nowhere' })

    expect(await screen.findByText('No pool matches')).toBeVisible()
  })
})

describe('while there is nothing to list', () => {
  it('says how a program begins, with this server’s address', async () => {
    serving([])
    renderPage(<PoolsPage />)

    expect(await screen.findByText('No program reports a pool yet')).toBeVisible()
    expect(screen.getByText(/mooring\.instrument\(engine, service="shop"\)/)).toBeVisible()
    expect(screen.getByText(/MOORING_SERVER=http:\/\/localhost/)).toBeVisible()
    expect(screen.getByRole('button', { name: 'Copy the lines for the program' })).toBeVisible()
    expect(screen.getByRole('link', { name: 'Make one' })).toHaveAttribute('href', '/tokens')
  })

  it('sends whoever makes no tokens to an admin', async () => {
    serving([])
    renderPage(<PoolsPage />, { role: 'viewer' })

    expect(await screen.findByText(/An admin of this server makes one/)).toBeVisible()
    expect(screen.queryByRole('link')).toBeNull()
  })

  it('says that it waits for the answer', () => {
    vi.stubGlobal('fetch', () => new Promise(() => undefined))
    renderPage(<PoolsPage />)

    expect(screen.getByRole('status', { name: 'Loading the pools' })).toBeVisible()
  })

  it('says in the API’s words that the pools cannot be read, and reads them when asked again', async () => {
    const server = serving(null)
    renderPage(<PoolsPage />)

    expect(await screen.findByRole('alert')).toHaveTextContent('The store does not answer.')
    server.pools = [aPool()]
    await userEvent.click(screen.getByRole('button', { name: 'Try again' }))
    expect(await row('shop/main')).toBeVisible()
  })
})

describe('what is no longer new', () => {
  it('is kept, marked, and told with its time and the reason', async () => {
    const server = serving([aPool()])
    const { cache } = renderPage(<PoolsPage />)
    await row('shop/main')

    server.pools = null
    await cache.refetchQueries({ queryKey: ['pools'] })
    expect(await screen.findByText(/This is what was known at .* The store does not/)).toBeVisible()
    expect(await row('shop/main')).toHaveTextContent('last known')
  })

  it('is read anew when the event stream tells of a pool that is shown, and of no other', async () => {
    const server = serving([aPool()])
    const { live } = renderPage(<PoolsPage />)
    await row('shop/main')
    act(() => live.open())
    await waitFor(() => expect(server.streams).toHaveLength(1))
    const [stream] = server.streams
    stream?.send('state', { revision: 1, now: new Date().toISOString(), monitoring: null })
    await waitFor(() => expect(live.state.phase).toBe('live'))

    const told = { rows: [], removed: [] }
    server.pools = [aPool({ totals: { used: 8 } })]
    const other = [aTransition({ target_id: 8 })]
    act(() => stream?.send('rows', { ...told, revision: 2, transitions: other }))
    const own = [aTransition({ target_id: 7 })]
    act(() => stream?.send('rows', { ...told, revision: 3, transitions: own }))
    await waitFor(async () => expect(await row('shop/main')).toHaveTextContent('8 of 10'))
    expect(server.asked).toBe(2)
    act(() => live.close())
  })
})
