import { screen, waitFor } from '@testing-library/react'
import userEvent from '@testing-library/user-event'
import { describe, expect, it } from 'vitest'

import type { FailureDay } from '#/api/types'
import { OlderFailures } from '#/components/target/OlderFailures'

import { renderPage } from '../../render'
import { TargetServer } from '../../target-server'
import { aFailure } from '../../values'

const DAY: FailureDay = {
  day: '2026-01-01',
  region: 'local',
  count: 1200,
  first_at: '2026-01-01T11:00:00.000000+00:00',
  last_at: '2026-01-01T13:00:00.000000+00:00',
  first: aFailure({ message: 'first words' }),
  last: aFailure({ message: 'last words' }),
}

function shown(...older: FailureDay[]) {
  const server = new TargetServer()
  server.older = older
  renderPage(<OlderFailures id={1} />, { api: server })
  return { server, user: userEvent.setup() }
}

const unfold = ({ user }: ReturnType<typeof shown>) =>
  user.click(screen.getByRole('button', { name: 'Show older failures' }))

describe('older failures', () => {
  it('are counted for each day and cause, with their first and last', async () => {
    await unfold(shown(DAY))
    const list = await screen.findByRole('list', { name: 'Older failures, newest day first' })
    expect(list).toHaveTextContent('1,200 times')
    await waitFor(() => expect(list).toHaveTextContent('auth: The login was rejected (WRONGPASS)'))
    expect(list).toHaveTextContent('last wordsAt first:first words')
    const times = [...list.querySelectorAll('time')].map((each) => each.dateTime)
    expect(times).toEqual([DAY.first_at, DAY.last_at])
  })

  it('have one time where there was one', async () => {
    await unfold(shown({ ...DAY, count: 1, last: DAY.first, last_at: DAY.first_at }))
    const list = await screen.findByRole('list')
    expect(list).toHaveTextContent('1 time')
    expect(list.querySelectorAll('time')).toHaveLength(1)
    expect(list).not.toHaveTextContent('At first')
  })

  it('are asked for when they are unfolded, and fold again', async () => {
    const page = shown(DAY)
    expect(page.server.asked).toEqual([])
    await unfold(page)
    await screen.findByRole('list')
    await page.user.click(screen.getByRole('button', { name: 'Hide older failures' }))
    expect(screen.queryByRole('list')).toBeNull()
    expect(page.server.count('/failures')).toBe(1)
  })

  it('that are none say so', async () => {
    await unfold(shown())
    expect(await screen.findByText(/^Nothing that failed more than a day ago/)).toBeVisible()
  })
})
