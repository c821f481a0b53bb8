import { act, configure, screen, waitFor, within } from '@testing-library/react'
import { describe, expect, it, vi } from 'vitest'

import { shown } from '../pool-page'
import { aPoolPast, aPoolStep } from '../pool-values'

// The page is large: on a busy machine a search by role takes its time.
vi.setConfig({ testTimeout: 30_000 })
configure({ asyncUtilTimeout: 10_000 })

const region = (name: string) => screen.findByRole('region', { name })

describe('use over time', () => {
  it('is told step by step to who uses the keys', async () => {
    const past = aPoolPast([aPoolStep(0), aPoolStep(1, { used_max: 9, waiting: 2 })])
    const { user } = shown({ past })
    const chart = await screen.findByRole('slider', { name: /Use against the limit/ })
    act(() => chart.focus())
    await user.keyboard('{End}')
    expect(chart).toHaveAttribute('aria-valuetext', expect.stringContaining('at most 9 of 10'))
    const use = await region('Use against the limit')
    expect(use).toHaveTextContent('In use at most9')
    expect(use).toHaveTextContent('2 waited')
  })

  it('opens at the window that the server finds to hold the past, and exports that one', async () => {
    const past = { ...aPoolPast(), window: '1h' }
    const { server, router, user } = shown({ past })
    const name = 'Use against the limit in the last hour'
    expect(await screen.findByRole('slider', { name })).toBeInTheDocument()
    expect(screen.getByRole('radio', { name: '1 hour' })).toBeChecked()
    const asked = server.asked.filter((each) => each.includes('/history'))
    expect(asked).toEqual(['GET /api/v1/pools/7/history?window=fit'])
    expect(router.state.location.search).toBe('')
    await user.click(screen.getByRole('button', { name: 'Export' }))
    const file = await screen.findByRole('menuitem', { name: 'CSV: its last 1 hour' })
    expect(file).toHaveAttribute('download', 'shop-main-1h.csv')
  })

  it('says of no window that it is shown before the server has said which it is', async () => {
    shown({ past: new Promise(() => undefined) })
    for (const each of await screen.findAllByRole('radio')) expect(each).not.toBeChecked()
  })

  it('looks as far back as the address says, and says there what is chosen', async () => {
    const { server, router, user } = shown({ at: '/pools/7?window=1h' })
    const asked = (window: string) => `GET /api/v1/pools/7/history?window=${window}`
    await screen.findByRole('slider')
    expect(server.asked).toContain(asked('1h'))
    await user.click(screen.getByRole('radio', { name: '7 days' }))
    await waitFor(() => expect(server.asked).toContain(asked('7d')))
    expect(router.state.location.search).toBe('?window=7d')
  })

  it('is a table for those who ask for one: newest first, with units, without the empty steps', async () => {
    const full = aPoolStep(2, { used: 9.25, used_max: 10, utilization_max: 1, waiting: 3 })
    const past = aPoolPast([aPoolStep(0, { samples: 0, used: null }), aPoolStep(1), full])
    const { user } = shown({ past })
    await user.click(await screen.findByRole('button', { name: 'Show as a table' }))
    const name = 'Use against the limit in the last 24 hours'
    const [heading, ...rows] = within(screen.getByRole('table', { name })).getAllByRole('row')
    expect(within(heading as HTMLElement).getAllByRole('columnheader')).toHaveLength(10)
    const cells = rows.map((row) =>
      within(row)
        .getAllByRole('cell')
        .map((cell) => cell.textContent),
    )
    expect(cells).toEqual([
      ['9.3', '10', '10', '100 %', '3', '0', '0', '50', '2'],
      ['3.5', '4', '10', '40 %', '0', '0', '0', '50', '2'],
    ])
    expect(within(rows[0] as HTMLElement).getByRole('rowheader')).toHaveTextContent(/Jan.*–/)
    await user.click(screen.getByRole('button', { name: 'Hide the table' }))
    expect(screen.queryByRole('table', { name })).toBeNull()
  })

  it('says that nothing is known of that time', async () => {
    shown({ past: aPoolPast([aPoolStep(0, { samples: 0, used: null })]) })
    expect(await screen.findByText('Nothing is known in the last 24 hours')).toBeVisible()
  })
})
