import { MantineProvider } from '@mantine/core'
import { render, screen, waitFor } from '@testing-library/react'
import userEvent from '@testing-library/user-event'
import { createMemoryRouter, RouterProvider } from 'react-router'
import { afterEach, expect, it, vi } from 'vitest'

import { RouteTrouble } from '#/app/RouteTrouble'

afterEach(() => {
  vi.unstubAllGlobals()
})

function failing(error: Error) {
  vi.spyOn(console, 'error').mockReturnValue()
  const lazy = () => Promise.reject(error)
  const router = createMemoryRouter([{ path: '/', lazy, errorElement: <RouteTrouble /> }])
  render(
    <MantineProvider env="test">
      <RouterProvider router={router} />
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
