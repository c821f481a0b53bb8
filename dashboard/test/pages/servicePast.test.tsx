import { act, screen, waitFor, within } from '@testing-library/react'
import userEvent from '@testing-library/user-event'
import { beforeEach, describe, expect, it } from 'vitest'

import { PoolsPage } from '#/pages/pools'

import { aPoolOf, aPoolPast, aPoolStep } from '../pool-values'
import { serving } from '../pools-server'
import { renderPage } from '../render'

beforeEach(() => {
  window.scrollTo = () => undefined // jsdom has it only to complain
  Element.prototype.scrollIntoView = () => undefined // and this not at all
})

const listed = () => screen.findByRole('link', { name: 'shop/main' })

describe('the past of a service', () => {
  const shop = [
    aPoolOf(1, 'shop'),
    aPoolOf(2, 'shop', { name: 'cache', totals: { limit: null, utilization: null } }),
    aPoolOf(3, 'billing'),
  ]
  const part = () => screen.findByRole('region', { name: 'Use of all pools of shop' })

  it('is the sum of all its pools, whatever is searched for, over the window that fits', async () => {
    const server = serving(shop, { ...aPoolPast(), window: '1h' })
    const at = '/pools?service=shop&q=cache'
    const { router } = renderPage(<PoolsPage />, { at })

    const name = 'Use of all pools of shop in the last hour'
    expect(await within(await part()).findByRole('slider', { name })).toBeInTheDocument()
    expect(within(await part()).getByRole('radio', { name: '1 hour' })).toBeChecked()
    expect(server.pasts).toEqual(['?service=shop&window=fit'])
    await userEvent.click(screen.getByRole('radio', { name: '7 days' }))
    await waitFor(() => expect(server.pasts).toContain('?service=shop&window=7d'))
    expect(router.state.location.search).toBe('?service=shop&q=cache&window=7d')
  })

  it('has no false limit: it says that a pool has none, and which', async () => {
    const past = aPoolPast([aPoolStep(0, { limit: null, utilization: null, used_max: 9 })])
    serving(shop, past)
    renderPage(<PoolsPage />, { at: '/pools?service=shop' })

    expect(
      await within(await part()).findByText(
        /No limit is drawn where one of the pools has none \(now cache\)\./,
      ),
    ).toBeVisible()
    const chart = within(await part()).getByRole('slider')
    expect(chart).toHaveAttribute(
      'aria-valuetext',
      expect.stringMatching(/at most 9 · none waited$/),
    )
    await userEvent.click(screen.getByRole('button', { name: 'Show as a table' }))
    const headings = within(screen.getByRole('table')).getAllByRole('columnheader')
    expect(headings.map((heading) => heading.textContent)).not.toContain('Processes')
  })

  it('stays in its window when another service is chosen, and is gone with the filter', async () => {
    const server = serving(shop)
    const { router } = renderPage(<PoolsPage />, { at: '/pools?service=billing&window=7d' })

    await screen.findByRole('region', { name: 'Use of all pools of billing' })
    await userEvent.click(screen.getByRole('combobox', { name: 'Filter by service' }))
    await userEvent.click(await screen.findByRole('option', { name: 'shop' }))
    await part()
    expect(router.state.location.search).toBe('?service=shop&window=7d')
    await waitFor(() => expect(server.pasts).toContain('?service=shop&window=7d'))
    await userEvent.click(screen.getByRole('button', { name: 'Clear filters' }))
    expect(screen.queryByRole('region')).toBeNull()
    expect(router.state.location.search).toBe('')
  })

  it('is not asked for where all services are listed, or one that has no pool', async () => {
    const server = serving(shop)
    const { router } = renderPage(<PoolsPage />, { at: '/pools' })
    await listed()
    await act(() => router.navigate('/pools?service=nobody'))
    expect(await screen.findByText('No pool matches')).toBeVisible()
    expect(screen.queryByRole('region')).toBeNull()
    expect(server.pasts).toEqual([])
  })

  it.each([
    ['', 'fit', 'a-b-past.csv'],
    ['&window=7d', '7d', 'a-b-7d.csv'],
  ])('is to be had as a file, as it is shown%s', async (chosen, window, name) => {
    serving([aPoolOf(1, 'a/b')])
    renderPage(<PoolsPage />, { at: `/pools?service=a%2Fb${chosen}` })

    await userEvent.click(await screen.findByRole('button', { name: 'Export' }))
    const link = await screen.findByRole('menuitem', { name: 'CSV: the past of the service' })
    expect(link).toHaveAttribute('download', name)
    const { pathname, searchParams } = new URL(link.getAttribute('href') ?? '', document.baseURI)
    expect(pathname).toBe('/api/v1/pools/history')
    expect(Object.fromEntries(searchParams)).toEqual({ service: 'a/b', window, format: 'csv' })
  })

  it('says that it cannot be read, and leaves the list', async () => {
    serving(shop, null)
    renderPage(<PoolsPage />, { at: '/pools?service=shop' })

    expect(await within(await part()).findByRole('alert')).toHaveTextContent(
      'The past could not be read',
    )
    expect(await listed()).toBeVisible()
  })
})
