import { act, configure, screen, waitFor, within } from '@testing-library/react'
import userEvent from '@testing-library/user-event'
import { describe, expect, it, vi } from 'vitest'

import { keys } from '#/api/queries'
import type { Role, Target } from '#/api/types'
import { TargetPage } from '#/pages/target'

import { renderPage } from '../render'
import { TargetServer } from '../target-server'
import { aFailure, aKind, aResult, aTarget } from '../values'

// The page is large: on a busy machine a search by role takes its time.
vi.setConfig({ testTimeout: 30_000 })
configure({ asyncUtilTimeout: 10_000 })

interface Situation {
  target?: Partial<Target> | null
  role?: Role
  at?: string
  prepare?: (server: TargetServer) => void
}

function shown({ target = {}, role = 'operator', at = '/targets/1', prepare }: Situation = {}) {
  const server = new TargetServer()
  server.target = target === null ? null : aTarget(target)
  prepare?.(server)
  const page = renderPage(<TargetPage />, { role, at, route: '/targets/:id', api: server })
  return { ...page, server, user: userEvent.setup() }
}

const health = (some: Partial<Target['health']>): Partial<Target> => ({
  health: { ...aTarget().health, ...some },
})

const stages = (name = 'Stages of the last check') => screen.findByRole('list', { name })

describe('the heading', () => {
  it('tells name, status, kind, address, labels', async () => {
    shown({ target: { name: '<b>orders</b>' } })
    expect(await screen.findByRole('heading', { level: 1 })).toHaveTextContent('<b>orders</b>')
    expect(screen.getByText('team: shop')).toBeVisible()
    expect(screen.getByRole('button', { name: 'Copy the address' })).toBeVisible()
    expect(screen.getAllByText('Up')[0]).toBeVisible()
  })

  it('tells how far a change is confirmed, and that a check runs', async () => {
    shown({ target: health({ confirming: [1, 3], checking: true }) })
    expect(await screen.findByText('confirming 1 of 3')).toBeVisible()
    expect(screen.getByText('checking')).toBeVisible()
  })

  it('says why a rejected login is not tried again at its interval', async () => {
    const soon = new Date(Date.now() + 3_500_000).toISOString()
    shown({ target: health({ status: 'down', calm: true, next_check_at: soon }) })
    expect(await screen.findByText(/once an hour while the login is rejected/)).toBeVisible()
    expect(screen.queryByText(/, every/)).toBeNull()
  })

  it('leads to who holds the connections of a pool, and of nothing else', async () => {
    const pool = shown({ target: { kind: 'pool' }, role: 'viewer' })
    expect(await screen.findByRole('link', { name: 'Who holds it' })).toHaveAttribute(
      'href',
      '/pools/1',
    )
    pool.unmount()
    shown()
    await screen.findByRole('heading', { level: 1 })
    expect(screen.queryByRole('link', { name: 'Who holds it' })).toBeNull()
  })

  it('calls a paused target paused, whatever its health was', async () => {
    shown({ target: { enabled: false } })
    expect(await screen.findByText('Paused')).toBeVisible()
    expect(screen.getByRole('button', { name: 'Resume' })).toBeVisible()
    expect(screen.queryByText(/^next/)).toBeNull()
  })
})

describe('what may be done', () => {
  it('is nothing for a viewer', async () => {
    shown({ role: 'viewer' })
    await screen.findByRole('heading', { level: 1 })
    await stages()
    for (const name of ['Test now', 'Pause', 'Remove']) {
      expect(screen.queryByRole('button', { name })).toBeNull()
    }
    expect(screen.queryByRole('link', { name: /Edit/ })).toBeNull()
  })

  it('is no edit where the target belongs to the file, and where is said', async () => {
    shown({ target: { origin: 'file' } })
    expect(await screen.findByText('edited in mooring.toml')).toBeVisible()
    expect(await screen.findByRole('button', { name: 'Test now' })).toBeVisible()
    expect(screen.queryByRole('button', { name: 'Pause' })).toBeNull()
  })

  it('pauses whatever else somebody changes meanwhile', async () => {
    const { server, user } = shown()
    await user.click(await screen.findByRole('button', { name: 'Pause' }))
    const sent = server.asked.find(({ method }) => method === 'PATCH')
    expect(await sent?.json()).toEqual({ enabled: false })
  })
})

describe('removing', () => {
  const asked = async ({ user }: { user: ReturnType<typeof userEvent.setup> }) => {
    await user.click(await screen.findByRole('button', { name: 'Remove' }))
    return screen.findByRole('dialog', { name: 'Remove this target?' })
  }

  it('asks by name, and sends the version that is shown', async () => {
    const page = shown()
    const dialog = await asked(page)
    expect(dialog).toHaveTextContent('orders')
    await page.user.click(within(dialog).getByRole('button', { name: 'Remove' }))
    await waitFor(() => expect(page.router.state.location.pathname).toBe('/'))
    const sent = page.server.asked.find(({ method }) => method === 'DELETE')
    expect(sent?.headers.get('if-match')).toBe('"3"')
  })

  it('says in the API’s words that somebody else was faster, and reads the target anew', async () => {
    const page = shown({
      prepare: (server) => {
        const detail = 'Somebody else has changed orders meanwhile.'
        server.refusal = Response.json({ status: 412, detail, errors: [] }, { status: 412 })
      },
    })
    const dialog = await asked(page)
    const before = page.server.count('/targets/1')
    await page.user.click(within(dialog).getByRole('button', { name: 'Remove' }))
    expect(await within(dialog).findByRole('alert')).toHaveTextContent('Somebody else has changed')
    await waitFor(() => expect(page.server.count('/targets/1')).toBeGreaterThan(before + 1))
  })
})

describe('the last check', () => {
  it('is a waterfall with what each stage proves', async () => {
    shown()
    await screen.findByText('the name resolves')
    const rows = within(await stages()).getAllByRole('listitem')
    expect(rows.map((row) => row.textContent)).toEqual([
      'dnspassed1 msthe name resolves',
      'tcppassed2 mssomething listens',
      'tlsnot usedTLS is offered',
      'authpassedno time of its ownthe role may log in',
    ])
    expect(screen.getByText('3 of 100')).toBeVisible()
    expect(screen.getByText('15.4')).toBeVisible()
  })

  it('has a card for a failure, and one for warnings', async () => {
    const last = aResult({ status: 'down', failure: aFailure(), warnings: ['nearly full'] })
    shown({ target: health({ status: 'down', last }) })
    const card = await screen.findByRole('region', { name: 'Why it fails' })
    await waitFor(() => expect(card).toHaveTextContent('The login was rejected'))
    expect(card).toHaveTextContent('WRONGPASS')
    expect(screen.getByRole('region', { name: 'Warnings' })).toHaveTextContent('nearly full')
  })

  it('is missing where there was none', async () => {
    shown({ target: health({ last: null, status: 'unknown', since: null }) })
    expect(await screen.findByText('The first check comes by itself in a moment.')).toBeVisible()
  })

  it('is waited for where the target reports by itself, which cannot be tested', async () => {
    shown({
      target: health({ last: null, status: 'unknown', since: null }),
      prepare: (server) => {
        server.kind = aKind({ passive: true })
      },
    })
    expect(await screen.findByText('Waiting for the first report')).toBeVisible()
    expect(screen.queryByRole('button', { name: 'Test now' })).toBeNull()
  })
})

describe('Test now', () => {
  const testing = async () => {
    const page = shown()
    await page.user.click(await screen.findByRole('button', { name: 'Test now' }))
    await waitFor(() => expect(page.server.test).not.toBeNull())
    return page
  }
  const verdicts = async () =>
    within(await stages('Stages of the test'))
      .getAllByRole('listitem')
      .map(
        (row) =>
          /^(dns|tcp|tls|auth)([a-z ]*?)(?=\d|no time|the|some|TLS)/.exec(row.textContent)?.[2],
      )

  it('shows the stages as they pass, and ends in the new result', async () => {
    const { server } = await testing()
    expect(await verdicts()).toEqual(['waiting', 'waiting', 'waiting', 'waiting'])
    act(() => server.test?.send('began', { name: 'dns' }))
    await waitFor(async () => expect((await verdicts())[0]).toBe('running'))
    act(() => server.test?.send('stage', { name: 'dns', status: 'passed', seconds: 0.1 }))
    act(() => server.test?.send('began', { name: 'auth' }))
    await waitFor(async () =>
      expect(await verdicts()).toEqual(['passed', 'not so far', 'not so far', 'running']),
    )
    const result = aResult({ started_at: '2026-01-02T04:00:00.000000+00:00', seconds: 0.5 })
    act(() => {
      server.test?.send('result', { ...result, details: { server_version: '16.0' } })
      server.test?.send('done', { summary: {} })
    })
    expect(await screen.findByText('16.0')).toBeVisible()
    expect(await stages()).toBeVisible()
  })

  it('can be cancelled, which closes the stream', async () => {
    const { server, user } = await testing()
    await user.click(screen.getByRole('button', { name: 'Cancel test' }))
    expect(server.test?.closed).toBe(true)
    expect(await screen.findByText(/The test was cancelled/)).toBeVisible()
    expect(await stages()).toBeVisible()
  })

  it('says so where the stream breaks before it is done', async () => {
    const { server } = await testing()
    act(() => server.test?.end())
    expect(await screen.findByText('The test did not finish')).toBeVisible()
  })
})

describe('results', () => {
  const list = () => screen.findByRole('list', { name: 'Results, newest first' })
  const hear = ({ server, cache }: ReturnType<typeof shown>, at: string) => {
    const last = aResult({ started_at: at })
    server.results = [last, ...server.results]
    server.target = aTarget(health({ last }))
    act(() => cache.setQueryData(keys.target(1), server.target))
  }
  const LATER = '2026-01-02T05:00:00.000000+00:00'

  it('follow the newest check while nobody reads in them', async () => {
    const page = shown()
    expect(within(await list()).getAllByRole('listitem')).toHaveLength(1)
    hear(page, LATER)
    await waitFor(async () => expect(within(await list()).getAllByRole('button')).toHaveLength(2))
  })

  it('stay where somebody reads, and offer what is newer', async () => {
    const page = shown()
    const [row] = within(await list()).getAllByRole('button')
    if (row === undefined) throw new Error('no row')
    await page.user.click(row)
    expect(await stages('Stages of this check')).toBeVisible()
    const before = page.server.count('/results')
    hear(page, LATER)
    const offer = await screen.findByRole('button', { name: 'Show newer results' })
    expect(page.server.count('/results')).toBe(before)
    await page.user.click(offer)
    await waitFor(() => expect(page.server.count('/results')).toBe(before + 1))
  })

  it('are asked for as the address says', async () => {
    const { server } = shown({ at: '/targets/1?status=down&reason=auth' })
    await list()
    const asked = server.asked.find(({ url }) => url.includes('/results'))
    expect(asked?.url).toMatch(/status=down.*reason=auth/)
  })
})

describe('the past', () => {
  it('is not read anew at every check', async () => {
    const page = shown()
    await screen.findByRole('slider', { name: 'Latency by stage in the last 24 hours' })
    await act(() => page.cache.invalidateQueries({ queryKey: keys.target(1) }))
    expect(page.server.count('/history')).toBe(1)
  })

  it('says each step in words, by keys', async () => {
    const { user } = shown()
    const chart = await screen.findByRole('slider', { name: /^Latency by stage/ })
    act(() => chart.focus())
    await user.keyboard('{End}')
    expect(chart).toHaveAttribute('aria-valuenow', '2')
    expect(chart.getAttribute('aria-valuetext')).toMatch(
      /partly up, 50 % of the time · 4 checks, 2 failed · mean 12 ms · 95 % within 19 ms$/,
    )
    await user.keyboard('{Home}')
    expect(chart.getAttribute('aria-valuetext')).toMatch(/not known · no checks$/)
    await user.keyboard('{Escape}')
    expect(screen.getByText(/^Means in the last 24 hours/)).toBeVisible()
  })

  it('is a table for those who ask for one', async () => {
    const { user } = shown()
    await user.click(await screen.findByRole('button', { name: 'Show as a table' }))
    const table = screen.getByRole('table', { name: 'Latency and uptime in the last 24 hours' })
    const [heading, newest, ...others] = within(table).getAllByRole('row')
    expect(heading).toHaveTextContent('WhenUptimeChecksFailedMean95 % withindnstcp')
    expect(newest).toHaveTextContent(/partly up, 50 % of the time4212 ms19 ms2 ms10 ms$/)
    expect(others).toHaveLength(1)
    await user.click(screen.getByRole('button', { name: 'Hide the table' }))
    expect(screen.queryByRole('table')).toBeNull()
  })

  it('takes its window from the address', async () => {
    shown({ at: '/targets/1?window=7d' })
    expect(await screen.findByRole('slider', { name: 'Uptime in the last 7 days' })).toBeVisible()
  })
})

describe('settings', () => {
  it('come from the schema of the kind, with dots for secrets', async () => {
    const { user } = shown()
    expect(
      await screen.findByText('postgresql://shop:••••••••@db.example:5432/orders'),
    ).toBeVisible()
    await user.click(await screen.findByRole('button', { name: 'Show 1 setting not set' }))
    expect(screen.getByText('SELECT 1 (default)')).toBeVisible()
  })
})

describe('a target that is not there', () => {
  it.each(['/targets/1', '/targets/x'])('is said in plain words at %s', async (at) => {
    shown({ target: null, at })
    expect(await screen.findByText('There is no such target')).toBeVisible()
    expect(screen.getByRole('link', { name: 'All targets' })).toHaveAttribute('href', '/')
  })
})
