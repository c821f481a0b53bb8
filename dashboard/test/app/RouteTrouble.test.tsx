import { MantineProvider } from '@mantine/core'
import { QueryClient } from '@tanstack/react-query'
import { act, render, screen, waitFor } from '@testing-library/react'
import userEvent from '@testing-library/user-event'
import { createMemoryRouter, RouterProvider } from 'react-router'
import { afterEach, describe, expect, it, vi } from 'vitest'

import { Api } from '#/api/client'
import { LiveContext } from '#/api/context'
import { Live, type LiveState } from '#/api/live'
import { RouteTrouble } from '#/app/RouteTrouble'

afterEach(() => {
  vi.unstubAllGlobals()
})

const unheard = () => new Live(new Api(), new QueryClient())

function failing(error: Error, live = unheard()) {
  vi.spyOn(console, 'error').mockReturnValue()
  const lazy = () => Promise.reject(error)
  const router = createMemoryRouter([{ path: '/', lazy, errorElement: <RouteTrouble /> }])
  render(
    <MantineProvider env="test">
      <LiveContext value={live}>
        <RouterProvider router={router} />
      </LiveContext>
    </MantineProvider>,
  )
  return screen.findByRole('alert')
}

it.each([
  'Failed to fetch dynamically imported module: https://mooring.example/assets/add.js',
  'error loading dynamically imported module: https://mooring.example/assets/add.js',
  'Importing a module script failed.',
  'Unable to preload CSS for https://mooring.example/assets/add.css',
])('says in plain words that a page did not come: %s', async (message) => {
  const alert = await failing(new TypeError(message))
  expect(alert).toHaveTextContent('Mooring did not answer, or was updated meanwhile.')
  expect(alert).not.toHaveTextContent('mooring.example')
})

it('does not leave for the browser’s own error while nothing answers', async () => {
  const reload = vi.fn<() => void>()
  const asked = vi.fn<typeof fetch>(() => Promise.reject(new TypeError('cut')))
  vi.stubGlobal('fetch', asked)
  vi.stubGlobal('location', { reload })
  await failing(new Error('an error of the page'))
  const again = screen.getByRole('button', { name: 'Try again' })
  await userEvent.click(again)
  await waitFor(() => expect(again).not.toHaveAttribute('data-loading'))
  expect(asked).toHaveBeenCalledOnce()
  expect(reload).not.toHaveBeenCalled()
  asked.mockResolvedValue(new Response())
  await userEvent.click(again)
  await waitFor(() => expect(reload).toHaveBeenCalledOnce())
})

describe('when Mooring is heard again', () => {
  const LIVE: LiveState = { phase: 'live', since: null }
  const BROKEN: LiveState = { phase: 'broken', since: 0 }

  async function hears(error: Error, states: readonly LiveState[]) {
    const reload = vi.fn<() => void>()
    vi.stubGlobal('location', { reload })
    const live = unheard()
    let tell = () => undefined as void
    const subscribe = (listener: () => void) => {
      tell = listener
      return () => undefined
    }
    Object.assign(live, { subscribe })
    live.state = states[0] ?? LIVE
    await failing(error, live)
    for (const state of states.slice(1)) {
      live.state = state
      act(tell)
    }
    return reload
  }
  const missing = new TypeError('Failed to fetch dynamically imported module: x')

  it('loads a page that did not come', async () => {
    expect(await hears(missing, [LIVE, BROKEN, LIVE])).toHaveBeenCalledOnce()
  })

  it('leaves one that is not there although Mooring is', async () => {
    const connecting: LiveState = { phase: 'connecting', since: null }
    expect(await hears(missing, [connecting, LIVE])).not.toHaveBeenCalled()
  })

  it('leaves an error of the page, which would come again', async () => {
    expect(await hears(new Error('an error'), [LIVE, BROKEN, LIVE])).not.toHaveBeenCalled()
  })
})
