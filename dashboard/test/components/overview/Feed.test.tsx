import { act, screen, waitFor, within } from '@testing-library/react'
import userEvent from '@testing-library/user-event'
import { afterEach, expect, test } from 'vitest'

import type { Transition } from '#/api/types'
import { OverviewPage } from '#/pages/overview'

import { OverviewServer } from '../../overview-server'
import { renderPage } from '../../render'
import { aRow, aTransition } from '../../values'

const rows = [aRow({ id: 1, name: 'orders' }), aRow({ id: 2, name: 'cache' })]

afterEach(() => localStorage.clear())

async function openFeed(transitions: Transition[]) {
  const server = new OverviewServer(rows)
  server.transitions = transitions
  const shown = renderPage(<OverviewPage />, { api: server })
  await userEvent.click(await screen.findByRole('button', { name: 'Changes' }))
  const feed = within(await screen.findByRole('complementary', { name: 'Changes' }))
  await waitFor(() => expect(feed.queryAllByRole('listitem').length).toBeGreaterThan(0))
  return { server, feed, ...shown }
}

test('the feed is there on demand, and says what happened and why', async () => {
  const { feed } = await openFeed([aTransition({ target_id: 2 })])

  expect(feed.getByRole('listitem')).toHaveTextContent(/^cache went down: auth WRONGPASS, .* ago$/)
  expect(feed.getByRole('link', { name: 'cache' })).toHaveAttribute('href', '/targets/2')
})

test('what happened to many at once is one sentence', async () => {
  const { feed } = await openFeed([1, 2, 3].map((id) => aTransition({ target_id: id })))

  expect(feed.getByRole('listitem')).toHaveTextContent(/^orders and 2 more went down: auth/)
})

test('a target that is gone is not called by a name that is not known', async () => {
  const { feed } = await openFeed([aTransition({ target_id: 99 })])

  expect(feed.getByRole('listitem')).toHaveTextContent('a removed target went down')
})

test('what the event stream tells is added on top', async () => {
  const { cache, feed } = await openFeed([aTransition({ target_id: 2 })])

  act(() => {
    cache.setQueryData(
      ['transitions'],
      [
        aTransition({
          target_id: 2,
          old: 'down',
          new: 'up',
          at: '2026-01-03T00:00:00.000000+00:00',
          failure: null,
        }),
      ],
    )
  })

  await waitFor(() => expect(feed.getAllByRole('listitem')).toHaveLength(2))
  expect(feed.getAllByRole('listitem')[0]).toHaveTextContent(/^cache is up again, /)
})
