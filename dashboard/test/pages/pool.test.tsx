import { act, configure, screen, waitFor, within } from '@testing-library/react'
import { describe, expect, it, vi } from 'vitest'

import type { Finding, Pool } from '#/api/types'

import { problem, shown } from '../pool-page'
import { aComparison, aLeak, anAlert, aPool } from '../pool-values'

// The page is large: on a busy machine a search by role takes its time.
vi.setConfig({ testTimeout: 30_000 })
configure({ asyncUtilTimeout: 10_000 })

const region = (name: string) => screen.findByRole('region', { name })

describe('the heading', () => {
  it('tells name, standing, driver, server and processes, and leads to the list and the target', async () => {
    shown({ pool: { service: '<b>shop</b>', alerts: [anAlert({ severity: 'critical' })] } })
    const heading = await screen.findByRole('heading', { level: 1 })
    expect(heading).toHaveTextContent('<b>shop</b>/main')
    expect(heading.closest('header')).toHaveTextContent('db.example:5432/shop')
    expect(heading.closest('header')).toHaveTextContent('1 process')
    expect(screen.getAllByText('Critical')[0]).toBeVisible()
    expect(screen.getByRole('link', { name: 'All pools' })).toHaveAttribute('href', '/pools')
    expect(screen.getByRole('link', { name: 'As a target' })).toHaveAttribute('href', '/targets/7')
    expect(screen.getByRole('link', { name: 'Its service' })).toHaveAttribute(
      'href',
      '/pools?service=%3Cb%3Eshop%3C%2Fb%3E',
    )
    await waitFor(() => expect(document.title).toBe('<b>shop</b>/main · Mooring'))
  })
})

describe('what is wrong', () => {
  it('has each alert once, the worst first, with what to do, then what else is worth knowing', async () => {
    const findings: Finding[] = [
      { code: 'utilization', severity: 'warning', message: 'again', recommendation: 'again' },
      {
        code: 'no_limit',
        severity: null,
        message: 'it has no limit',
        recommendation: 'Set `one`.',
      },
    ]
    const worst = anAlert({ rule: 'abandoned', severity: 'critical', message: '1 was lost' })
    shown({ pool: { alerts: [anAlert({ suppressed: 3 }), worst] }, findings })

    const told = await region('What is wrong')
    await within(told).findByText('it has no limit')
    const rows = within(told).getAllByRole('listitem')
    expect(rows.map((row) => row.textContent)).toEqual([
      expect.stringMatching(/^1 was lostHold them for less.*Criticalnever returned/),
      expect.stringMatching(/in use \(90%\)Hold them.*Warningnearly full.*came 3 more times/),
      'it has no limitSet one.Advice',
    ])
  })

  it('is not there where nothing is', async () => {
    shown()
    await region('Who holds them')
    expect(screen.queryByRole('region', { name: 'What is wrong' })).toBeNull()
  })
})

describe('what is held', () => {
  it('is not known while no process reports it, and told as such', async () => {
    shown({
      pool: {
        totals: { instances: 0, used: 0, limit: null, utilization: null, waiting: 0, peak: 0 },
        sites: [],
      },
    })
    const now = await region('Now')
    expect(now).toHaveTextContent('Not known: no process reports it.')
    expect(now).not.toHaveTextContent('in use')
    expect(now).not.toHaveTextContent('Waiting0')
    expect(await region('Who holds them')).toHaveTextContent('Not known while no process reports')
    expect(await region('Not returned')).toHaveTextContent('Not known while no process reports it')
    const heading = screen.getByRole('heading', { level: 1 })
    expect(heading.closest('header')).toHaveTextContent('sqlalchemy')
    expect(heading.closest('header')).toHaveTextContent('no process reports it')
  })

  it('tells use and times', async () => {
    shown({ pool: { totals: { used: 7, utilization: 0.7, timeouts: 2 } } })
    const now = await region('Now')
    expect(now).toHaveTextContent('7 of 10 in use (70 %)')
    const row = within(now).getByRole('row', { name: /Holding it/ })
    expect(row).toHaveTextContent('Holding it10 ms200 ms')
    expect(now).toHaveTextContent('Timeouts2')
  })

  it('names the line, function and route that hold most', async () => {
    shown()
    const table = await screen.findByRole('table', { name: 'Lines that take connections' })
    const row = within(table).getByRole('row', { name: /orders\.py:88/ })
    expect(row).toHaveTextContent(
      'shop/orders.py:88in load_orders · GET /orders3 of 34 s10 ms200 ms100',
    )
  })

  it('shows a leak by class, what that means, and both stacks', async () => {
    const leaks = [
      aLeak({ taken: ['shop/orders.py:88 in load', 'shop/routes.py:12 in show'] }),
      aLeak({ held: 99, owner: 'Task-9', process: 'web2:7' }),
      aLeak({ kind: 'suspect', site: 'b.py:2', now: ['b.py:9 in wait'], taken: ['b.py:2 in f'] }),
    ]
    const { user } = shown({ pool: { leaks } })
    const lost = await region('Abandoned (2)')
    expect(lost).toHaveTextContent('a leak for certain')
    expect(lost).toHaveTextContent('held 1 min 39 s')
    expect(lost).toHaveTextContent('Nowhere: it has ended.')
    await user.click(within(lost).getByRole('button', { name: 'Show 1 other from there' }))
    expect(lost).toHaveTextContent('Task-7 in web1:41')

    const suspect = await region('Suspect (1)')
    const stack = (name: string) => within(suspect).getByRole('list', { name })
    expect(stack('Taken at')).toHaveTextContent('b.py:2 in f')
    expect(stack('Its owner is now at')).toHaveTextContent('b.py:9 in wait')
  })

  it('tells of each process what it uses, and what is odd about it', async () => {
    const [one] = aPool().instances as [Pool['instances'][number]]
    const instances = [
      { ...one, id: 'a', live: false, ended: true, pid: 40 },
      { ...one, id: 'b', skew: -7200, used: 9 },
      { ...one, id: 'c', pid: 42, live: false },
    ]
    shown({ pool: { instances } })
    const table = await screen.findByRole('table', { name: 'Processes that report this pool' })
    const rows = within(table).getAllByRole('row').slice(1)
    expect(rows.map((row) => row.textContent)).toEqual([
      expect.stringMatching(/^web1:41its clock is 2 h behind9 of 10/),
      expect.stringMatching(/^web1:40has ended–/),
      expect.stringMatching(/^web1:42silent: not part of the totals–/),
    ])
  })

  it('stands beside what the server itself says', async () => {
    shown({ pool: { comparison: [aComparison()] } })
    const behind = await region('The server behind it')
    expect(behind).toHaveTextContent('Takes at most100')
    expect(behind).toHaveTextContent(/Has open45, counted/)
    expect(behind).toHaveTextContent('Pools may open120')
    expect(within(behind).getByRole('link', { name: 'orders database' })).toHaveAttribute(
      'href',
      '/targets/3',
    )
  })

  it('says how that comes about where no target watches the server', async () => {
    shown()
    const behind = await region('The server behind it')
    expect(behind).toHaveTextContent('No target of Mooring watches db.example:5432.')
    expect(within(behind).getByRole('link', { name: 'Add it' })).toHaveAttribute('href', '/add')
  })
})

describe('what can be done', () => {
  it.each([
    ['Clean up', 'Forget the abandoned leases?', 'Forget them', 'cleanup'],
    ['Reset', 'Reset what is counted?', 'Count from zero', 'reset'],
    ['Stop tracking', 'Stop tracking this pool?', 'Stop tracking', 'stop'],
  ])(
    '%s asks, says that no connection is closed, and is done',
    async (button, title, yes, wish) => {
      const { server, user } = shown()
      await user.click(await screen.findByRole('button', { name: button }))
      const dialog = await screen.findByRole('dialog', { name: title })
      expect(dialog).toHaveTextContent(/no connection is closed/i)
      await user.click(within(dialog).getByRole('button', { name: yes }))
      expect(
        await screen.findByText(/^4 processes of shop\/main will .*within 30 s\.$/),
      ).toBeVisible()
      expect(server.asked).toContain(`POST /api/v1/pools/7/${wish}`)
      await waitFor(() => expect(screen.queryByRole('dialog')).toBeNull())
    },
  )

  it('is nothing that nobody said yes to', async () => {
    const { server, user } = shown()
    await user.click(await screen.findByRole('button', { name: 'Reset' }))
    await user.click(await screen.findByRole('button', { name: 'Leave it' }))
    expect(server.asked.filter((each) => each.startsWith('POST'))).toEqual([])
  })

  it('is to start where tracking is stopped', async () => {
    shown({ pool: { active: false } })
    expect(await screen.findByRole('button', { name: 'Start tracking' })).toBeVisible()
    expect(screen.queryByRole('button', { name: 'Stop tracking' })).toBeNull()
  })

  it('says in the API’s words that nobody would hear it', async () => {
    const { server, user } = shown()
    server.wanted = () => problem(409, 'Nobody would hear it.')
    await user.click(await screen.findByRole('button', { name: 'Reset' }))
    await user.click(await screen.findByRole('button', { name: 'Count from zero' }))
    expect(await screen.findByRole('alert')).toHaveTextContent('Nobody would hear it.')
  })

  it('is for a viewer to look, and to take files along', async () => {
    const { user } = shown({ role: 'viewer', at: '/pools/7?window=7d' })
    await user.click(await screen.findByRole('button', { name: 'Export' }))
    const links = await screen.findAllByRole('menuitem')
    expect(
      links.map((each) => each.getAttribute('href')?.replace(/^http:..localhost:\d+/, '')),
    ).toEqual(['/api/v1/pools/7', '/api/v1/pools/7/history?window=7d&format=csv', '/metrics'])
    expect(screen.queryByRole('button', { name: 'Clean up' })).toBeNull()
  })
})

describe('where there is no pool to show', () => {
  it.each(['/pools/7', '/pools/seven'])('%s says so, and leads to all', async (at) => {
    shown({ pool: null, at })
    expect(await screen.findByText('There is no such pool')).toBeVisible()
    expect(screen.getByRole('link', { name: 'All pools' })).toHaveAttribute('href', '/pools')
  })

  it('says in the API’s words that it cannot be read', async () => {
    const { server, user } = shown({ trouble: problem(503, 'The store does not answer.') })
    expect(await screen.findByRole('alert')).toHaveTextContent('The store does not answer.')
    server.trouble = null
    await user.click(screen.getByRole('button', { name: 'Try again' }))
    expect(await region('Now')).toBeVisible()
  })

  it('keeps what was known, and says of when that is', async () => {
    const { server, cache } = shown()
    await region('Now')
    server.trouble = problem(503, 'The store does not answer.')
    await act(() => cache.refetchQueries({ queryKey: ['pools', 7], exact: true }))
    expect(await screen.findByText(/This is what was known at/)).toBeVisible()
    expect(screen.getByText('last known')).toBeVisible()
    expect(await region('Now')).toBeVisible()
  })
})
