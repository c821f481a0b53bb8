import { act, screen, waitFor, within } from '@testing-library/react'
import userEvent from '@testing-library/user-event'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'

import { keys } from '#/api/queries'
import type { OverviewRow, Role } from '#/api/types'
import { TestAllButton } from '#/components/testAll/TestAllButton'

import { renderPage } from '../../render'
import { aFailure, anOverview, aResultOf, aRow } from '../../values'

const rows = [
  aRow({ id: 1, name: 'orders' }),
  aRow({ id: 2, name: 'cache', kind: 'tcp' }),
  aRow({ id: 3, name: 'old', enabled: false }),
]

const failed = (id: number) => aResultOf(id, { status: 'down', failure: aFailure() })

/** A server whose stream the test writes. */
class Server {
  readonly asked: Request[] = []
  cancelled = false
  #stream: ReadableStreamDefaultController<Uint8Array> | undefined

  readonly fetch = (request: Request): Promise<Response> => {
    if (request.method === 'GET') return new Promise(() => undefined)
    this.asked.push(request)
    const body = new ReadableStream<Uint8Array>({
      start: (stream) => {
        this.#stream = stream
        request.signal.addEventListener('abort', () => {
          this.cancelled = true
          stream.error(new DOMException('Aborted', 'AbortError'))
        })
      },
    })
    return Promise.resolve(new Response(body))
  }

  async send(event: string, data: unknown) {
    await vi.waitUntil(() => this.#stream !== undefined)
    const text = `event: ${event}\ndata: ${JSON.stringify(data)}\n\n`
    act(() => this.#stream?.enqueue(new TextEncoder().encode(text)))
  }

  done = () =>
    this.send('done', { summary: { up: 0, degraded: 0, down: 0, unknown: 0, paused: 0 } })

  breakOff() {
    act(() => this.#stream?.close())
  }

  /** The ids that the last request named. */
  get ids() {
    return new URL(this.asked.at(-1)?.url ?? '').searchParams.getAll('id')
  }
}

let server: Server

beforeEach(() => {
  server = new Server()
  vi.stubGlobal('fetch', server.fetch)
})
afterEach(() => {
  vi.unstubAllGlobals()
})

function shown(overview: readonly OverviewRow[] = rows, at = '/', role: Role = 'operator') {
  const page = renderPage(<TestAllButton />, { role, at })
  act(() => page.cache.setQueryData(keys.overview, anOverview(overview)))
  return { ...page, user: userEvent.setup() }
}

async function started(overview: readonly OverviewRow[] = rows, at = '/') {
  const page = shown(overview, at)
  await page.user.click(await screen.findByRole('button', { name: /^Test/ }))
  const dialog = await screen.findByRole('dialog', { name: 'Test all connections' })
  return { ...page, dialog }
}

const says = (dialog: HTMLElement, words: string) =>
  waitFor(() => expect(within(dialog).getByRole('status')).toHaveTextContent(words))

describe('who may test', () => {
  it('is not a viewer', () => {
    shown(rows, '/', 'viewer')
    expect(screen.queryByRole('button')).toBeNull()
  })
})

describe('testing all', () => {
  it('fills a bar as results come, and lists what failed with stage, reason and message', async () => {
    const { dialog } = await started()
    const bar = within(dialog).getByRole('progressbar', { name: 'Targets tested' })
    expect(bar).toHaveAttribute('aria-valuemax', '2')
    expect(dialog).toHaveTextContent('1 paused is left out')

    await server.send('stage', { target: { id: 1 }, name: 'dns', status: 'passed' })
    await server.send('result', failed(1))

    await waitFor(() => expect(bar).toHaveAttribute('aria-valuenow', '1'))
    const failing = within(dialog).getByRole('region', { name: 'Not up' })
    expect(failing).toHaveTextContent('t1')
    expect(within(failing).getByText('postgresql')).toBeVisible()
    expect(within(failing).getByText('auth')).toBeVisible()
    expect(failing).toHaveTextContent('invalid username-password pair')

    await server.send('result', aResultOf(2))
    await server.done()
    await says(dialog, 'Done. 2 of 2 tested: 1 up, 1 down')
    expect(within(dialog).getByRole('button', { name: 'Download JSON' })).toBeVisible()
  })

  it('takes from the server how many there are to test', async () => {
    const { dialog } = await started()
    expect(dialog).toHaveTextContent('0 of 2 tested')
    await server.send('started', { total: 1, paused: 1 })
    await waitFor(() => expect(dialog).toHaveTextContent('0 of 1 tested'))
    expect(dialog).toHaveTextContent('2 paused are left out')
  })

  it('tests the failing ones again, and only these', async () => {
    const { dialog, user } = await started()
    expect(server.ids).toEqual(['1', '2'])
    await server.send('result', aResultOf(1))
    await server.send('result', failed(2))
    await server.done()

    await user.click(await within(dialog).findByRole('button', { name: 'Test failing ones again' }))

    await waitFor(() => expect(server.ids).toEqual(['2']))
    expect(dialog).toHaveTextContent('0 of 1 tested')
  })

  it('closes the stream when it is cancelled, and says how far it came', async () => {
    const { dialog, user } = await started()
    await server.send('result', aResultOf(1))
    await user.click(within(dialog).getByRole('button', { name: 'Cancel' }))

    await says(dialog, 'Cancelled. 1 of 2 tested: 1 up')
    expect(server.cancelled).toBe(true)
  })

  it('tells that the connection broke, and of how many nothing is known', async () => {
    const { dialog } = await started()
    await server.send('result', aResultOf(1))
    server.breakOff()

    const alert = await within(dialog).findByRole('alert')
    expect(alert).toHaveTextContent('Testing stopped early')
    expect(alert).toHaveTextContent('Nothing is said here of the other 1')
  })

  it('goes on when the dialog is closed, and the button says how far it is', async () => {
    const { user } = await started()
    await user.keyboard('{Escape}')
    await waitFor(() => expect(screen.queryByRole('dialog')).toBeNull())
    await server.send('result', failed(1))

    const button = await screen.findByRole('button', { name: 'Testing 1 of 2' })
    expect(server.cancelled).toBe(false)
    await server.send('result', aResultOf(2))
    await server.done()
    await waitFor(() => expect(button).toHaveTextContent('Tested: 1 not up'))
    await user.click(button)
    await says(await screen.findByRole('dialog'), 'Done. 2 of 2 tested: 1 up, 1 down')
  })

  it('tells at the button, too, that it broke and how far it came, and asks the same again', async () => {
    const { user } = await started()
    await user.keyboard('{Escape}')
    await waitFor(() => expect(screen.queryByRole('dialog')).toBeNull())
    await server.send('result', failed(1))
    server.breakOff()

    const button = await screen.findByRole('button', { name: 'Stopped early: 1 of 2 tested' })
    await user.click(button)
    const dialog = await screen.findByRole('dialog')
    await user.click(within(dialog).getByRole('button', { name: 'Test again' }))
    await waitFor(() => expect(server.asked).toHaveLength(2))
    expect(server.ids).toEqual(['1', '2'])
    expect(dialog).toHaveTextContent('0 of 2 tested')
    expect(dialog).toHaveTextContent('1 paused is left out')
  })

  it('offers what was cancelled once more', async () => {
    const { dialog, user } = await started()
    await user.click(within(dialog).getByRole('button', { name: 'Cancel' }))
    await user.click(await within(dialog).findByRole('button', { name: 'Test again' }))
    await waitFor(() => expect(server.asked).toHaveLength(2))
    expect(server.ids).toEqual(['1', '2'])
  })

  it('takes what the list shows, and says so', async () => {
    const { dialog } = await started(rows, '/?kind=tcp')

    expect(server.ids).toEqual(['2'])
    expect(dialog).toHaveTextContent('Only what the list shows: of kind tcp')
  })

  const paused = [aRow({ id: 1, enabled: false })]
  it.each([
    ['No target matches the filters.', rows, '/?q=nowhere', 'Test none'],
    ['All that the list shows is paused.', rows, '/?status=paused', 'Test none'],
    ['All targets are paused.', paused, '/', 'Test all'],
    ['There is no target to test yet.', [], '/', 'Test all'],
  ])('is not done where there is nothing to test, and says why: %s', async (why, all, at, name) => {
    const { user } = shown(all, at)
    const button = await screen.findByRole('button', { name })

    await user.click(button)

    expect(button).toHaveAttribute('aria-disabled', 'true')
    expect(button).toHaveAccessibleDescription(why)
    expect(screen.queryByRole('dialog')).toBeNull()
    expect(server.asked).toEqual([])
  })

  it('counts for the button only what is not paused', async () => {
    shown(rows, '/?q=o')

    expect(await screen.findByRole('button', { name: 'Test this one' })).toBeEnabled()
  })

  it('says that there was nothing to test where all was paused meanwhile', async () => {
    const { dialog } = await started()
    await server.send('started', { total: 0, paused: 2 })
    await server.done()

    await waitFor(() =>
      expect(within(dialog).getByRole('status')).toHaveTextContent('There is nothing to test'),
    )
  })

  it('shows a refusal in the words of the API', async () => {
    vi.stubGlobal('fetch', () =>
      Promise.resolve(new Response('{"detail": "You may not do that."}', { status: 403 })),
    )
    const { dialog } = await started()

    expect(await within(dialog).findByRole('alert')).toHaveTextContent('You may not do that.')
  })
})
