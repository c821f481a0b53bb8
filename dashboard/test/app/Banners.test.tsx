import { screen } from '@testing-library/react'
import { afterEach, beforeEach, expect, it, vi } from 'vitest'

import { Api } from '#/api/client'
import { keys } from '#/api/queries'
import { Banners } from '#/app/Banners'

import { renderPage } from '../render'
import { anOverview } from '../values'

beforeEach(() => {
  vi.stubGlobal('fetch', () => Promise.reject(new TypeError('cut')))
})
afterEach(() => {
  vi.unstubAllGlobals()
})

function broken(known: boolean) {
  const page = renderPage(<Banners />, { api: new Api() })
  if (known) page.cache.setQueryData(keys.overview, anOverview([]))
  page.live.open()
  return screen.findByText(/^Not connected to Mooring since/)
}

it('says that what is seen is what was last known', async () => {
  expect(await broken(true)).toHaveTextContent(/Nothing newer than that is known\.$/)
})

it('says that nothing was known yet', async () => {
  expect(await broken(false)).toHaveTextContent(/How the targets stand could not be read yet\.$/)
})
