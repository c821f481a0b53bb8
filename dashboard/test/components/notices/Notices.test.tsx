import { Menu } from '@mantine/core'
import { Notifications, notifications } from '@mantine/notifications'
import { act, screen, waitFor } from '@testing-library/react'
import userEvent from '@testing-library/user-event'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'

import { keys } from '#/api/queries'
import type { OverviewRow } from '#/api/types'
import { Notices } from '#/components/notices/Notices'
import { DesktopNoticesItem } from '#/components/notices/DesktopNotices'
import { favicon } from '#/lib/favicon'
import { countShown, worstOf } from '#/lib/status'

import { renderPage } from '../../render'
import { aFailure, anOverview, aRow } from '../../values'

const up = aRow({ id: 1, name: 'orders', status: 'up' })
const down = aRow({ id: 1, name: 'orders', status: 'down', failure: aFailure() })

async function shown(...rows: OverviewRow[]) {
  const page = renderPage(
    <>
      <Notices />
      <Notifications />
    </>,
  )
  const have = async (...next: OverviewRow[]) => {
    page.cache.setQueryData(keys.overview, anOverview(next))
    const expected = favicon(worstOf(countShown(next)))
    await waitFor(() => expect([expected, favicon('unheard')]).toContain(icon()))
  }
  await have(...rows)
  return { ...page, have }
}

const icon = () => document.querySelector<HTMLLinkElement>('link[rel=icon]')?.href

beforeEach(() => {
  document.head.innerHTML = '<link rel="icon" href="data:,">'
  vi.stubGlobal('fetch', () => new Promise(() => undefined))
})

afterEach(() => {
  act(() => notifications.clean())
  vi.unstubAllGlobals()
  localStorage.clear()
})

describe('a toast', () => {
  it('tells of a loss, why, and leads to the target', async () => {
    const { have, router } = await shown(up)
    await have(down)

    expect(await screen.findByText('orders went down')).toBeVisible()
    expect(screen.getByText('auth: invalid username-password pair')).toBeVisible()
    await userEvent.click(screen.getByRole('link', { name: 'Show the target' }))
    expect(router.state.location.pathname).toBe('/targets/1')
    await waitFor(() => expect(screen.queryByText('orders went down')).toBeNull())
  })

  it('counts several and leads to the list of them', async () => {
    const two = aRow({ id: 2, name: 'cache' })
    const { have, router } = await shown(up, two)
    await have(down, { ...two, status: 'down' })

    expect(await screen.findByText('2 targets went down')).toBeVisible()
    await userEvent.click(screen.getByRole('link', { name: 'Show them' }))
    expect(router.state.location.search).toBe('?status=down')
  })
})

describe('the tab', () => {
  it('shows the worst status by its name and its icon', async () => {
    const { have } = await shown(up)
    expect(document.title).not.toContain('down')
    expect(icon()).toBe(favicon('up'))
    await have(down)
    await waitFor(() => expect(document.title).toMatch(/^\(1 down\) /))
    expect(icon()).toBe(favicon('down'))
  })

  it('says that it does not know when the server is not heard', async () => {
    const { live, have } = await shown(up)
    live.state = { phase: 'broken', since: 0 }
    await have({ ...up, seconds: 1 })
    await waitFor(() => expect(document.title).toMatch(/^\(not live\) /))
    expect(icon()).toBe(favicon('unheard'))
  })
})

const permitted = (permission: NotificationPermission, answer = permission) => {
  const requestPermission = vi.fn<() => Promise<NotificationPermission>>(() =>
    Promise.resolve(answer),
  )
  vi.stubGlobal('isSecureContext', true)
  vi.stubGlobal('Notification', Object.assign(vi.fn(), { permission, requestPermission }))
  return requestPermission
}

const inMenu = (
  <Menu opened>
    <Menu.Target>
      <button type="button">You</button>
    </Menu.Target>
    <Menu.Dropdown>
      <DesktopNoticesItem />
    </Menu.Dropdown>
  </Menu>
)
const item = () => screen.findByRole('menuitemcheckbox', { name: /^Desktop notifications/ })

describe('the switch for the desktop', () => {
  it('asks the browser once and keeps the wish', async () => {
    const asked = permitted('default', 'granted')
    renderPage(inMenu)
    await userEvent.click(await item())

    expect(asked).toHaveBeenCalledTimes(1)
    await waitFor(async () => expect(await item()).toBeChecked())
    expect(localStorage.getItem('mooring-desktop-notices')).toBe('true')
  })

  it('stays off and says why where the browser refuses', async () => {
    permitted('default', 'denied')
    renderPage(inMenu)
    await userEvent.click(await item())

    expect(await screen.findByText(/Your browser blocks them/)).toBeVisible()
    expect(await item()).not.toBeChecked()
  })
})
