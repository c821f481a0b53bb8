import { MantineProvider } from '@mantine/core'
import { act, render, screen } from '@testing-library/react'
import userEvent from '@testing-library/user-event'
import type { ReactNode } from 'react'
import { afterEach, describe, expect, it, vi } from 'vitest'

import { ClockContext } from '#/api/context'
import { ApiError, Unreachable } from '#/api/problem'
import { Clock } from '#/lib/clock'
import { SHOWN, STATUS_WORD } from '#/lib/status'
import { CopyButton } from '#/ui/CopyButton'
import { ErrorNotice } from '#/ui/ErrorNotice'
import { Folded } from '#/ui/Folded'
import { Since } from '#/ui/Since'
import { StatusBadge } from '#/ui/StatusBadge'

const show = (part: ReactNode) => render(<MantineProvider env="test">{part}</MantineProvider>)

afterEach(() => void vi.useRealTimers())

describe('StatusBadge', () => {
  it.each(SHOWN)('says %s in a word and by a shape of its own', (status) => {
    const { container } = show(<StatusBadge status={status} />)
    expect(screen.getByText(STATUS_WORD[status])).toBeVisible()
    const shapes = SHOWN.map((each) => show(<StatusBadge status={each} />).container)
    const same = shapes.filter(
      (each) => each.querySelector('svg')?.innerHTML === container.querySelector('svg')?.innerHTML,
    )
    expect(same).toHaveLength(1)
  })
})

describe('Since', () => {
  const AT = Date.parse('2026-01-02T03:04:05Z')

  it('stays true while it is looked at, by the server’s clock', () => {
    vi.useFakeTimers({ now: AT + 600_000 })
    const clock = new Clock()
    clock.heed(new Date(AT + 12_000).toISOString())
    show(
      <ClockContext value={clock}>
        <Since at="2026-01-02T03:04:05Z" />
      </ClockContext>,
    )
    const time = screen.getByText('12 s ago')
    expect(time).toHaveAttribute('datetime', '2026-01-02T03:04:05Z')
    expect(time.title).toContain('2026')
    act(() => vi.advanceTimersByTime(49_000))
    expect(time).toHaveTextContent('1 min ago')
  })

  it('says where there is no time', () => {
    show(<Since at={null} none="not yet" />)
    expect(screen.getByText('not yet')).toBeVisible()
  })
})

describe('Folded', () => {
  it('lets an address wrap between its parts, and a text as it is', () => {
    const { container } = show(<Folded text="http://127.0.0.1:18591/livez" />)
    expect(container.querySelector('[id]')?.innerHTML).toBe(
      'http://<wbr>127.0.0.1:18591/<wbr>livez',
    )
    expect(show(<Folded text="this and/or that" />).container.querySelector('wbr')).toBeNull()
  })

  it('shows a short text as it is', () => {
    show(<Folded text={'<b>two</b>\nlines'} />)
    expect(screen.getByText(/<b>two<\/b>/)).toBeVisible()
    expect(screen.queryByRole('button')).toBeNull()
  })

  it('folds a long one, and shows it whole on demand', async () => {
    show(<Folded text={'x'.repeat(5000)} />)
    const more = screen.getByRole('button', { name: 'Show all 5,000 characters' })
    expect(more).toHaveAttribute('aria-expanded', 'false')
    await userEvent.click(more)
    expect(screen.getByRole('button', { name: 'Show less' })).toHaveAttribute(
      'aria-expanded',
      'true',
    )
  })
})

describe('CopyButton', () => {
  it('copies, and says so to those who do not see it', async () => {
    const user = userEvent.setup()
    Object.defineProperty(window, 'isSecureContext', { value: true, configurable: true })
    show(<CopyButton value="secret value" what="the address" />)
    await user.click(screen.getByRole('button', { name: 'Copy the address' }))
    expect(await screen.findByText('Copied', { selector: '[role=status]' })).toBeInTheDocument()
    expect(await navigator.clipboard.readText()).toBe('secret value')
  })
})

describe('ErrorNotice', () => {
  it('repeats the API’s words, each field’s too', () => {
    const errors = [
      { field: 'interval', message: 'has to be 1 or more' },
      { field: '', message: 'is too much' },
    ]
    show(
      <ErrorNotice error={new ApiError({ status: 422, detail: 'It holds mistakes.', errors })} />,
    )
    expect(screen.getByRole('alert')).toHaveTextContent('It holds mistakes.')
    expect(screen.getAllByRole('listitem').map((each) => each.textContent)).toEqual([
      'interval has to be 1 or more',
      'is too much',
    ])
    expect(screen.queryByRole('button')).toBeNull()
  })

  it('lets one try again', async () => {
    const retry = vi.fn<() => void>()
    show(<ErrorNotice error={new Unreachable()} onRetry={retry} />)
    await userEvent.click(screen.getByRole('button', { name: 'Try again' }))
    expect(retry).toHaveBeenCalledTimes(1)
  })
})
