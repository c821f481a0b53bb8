import { MantineProvider } from '@mantine/core'
import { render, screen } from '@testing-library/react'
import userEvent from '@testing-library/user-event'
import { describe, expect, it } from 'vitest'

import type { Failure } from '#/api/types'
import { FailureCard } from '#/ui/FailureCard'

import { aFailure } from '../overview-rows'

const shown = (failure: Partial<Failure>) =>
  render(
    <MantineProvider env="test">
      <FailureCard failure={aFailure(failure)} status="down" />
    </MantineProvider>,
  )

describe('a failure', () => {
  it('shows the fix word for word, with a button that copies it', () => {
    shown({ hint: 'Grant it.', fix: 'GRANT SELECT ON t TO r;' })
    expect(screen.getByText('GRANT SELECT ON t TO r;')).toBeVisible()
    expect(screen.getByText('Grant it.')).toBeVisible()
    expect(screen.getByRole('button', { name: 'Copy the fix' })).toBeVisible()
  })

  it('has no empty block where there is no fix', () => {
    shown({})
    expect(screen.queryByRole('button', { name: /Copy/ })).toBeNull()
  })

  it('does not say the same twice', () => {
    shown({ hint: 'GRANT x;', fix: 'GRANT x;' })
    expect(screen.getAllByText('GRANT x;')).toHaveLength(1)
  })

  it('folds a long message', async () => {
    shown({ message: 'x'.repeat(5000) })
    await userEvent.click(screen.getByRole('button', { name: 'Show all 5,000 characters' }))
    expect(screen.getByRole('button', { name: 'Show less' })).toBeVisible()
  })

  it('shows what a stranger wrote as text', () => {
    const { container } = shown({ message: '<img src=x onerror=alert(1)>' })
    expect(screen.getByText('<img src=x onerror=alert(1)>')).toBeVisible()
    expect(container.querySelector('img')).toBeNull()
  })

  it.each([
    ['auth', 'Trying again does not help: something has to be changed first.'],
    ['timeout', 'It may pass by itself: Mooring keeps trying.'],
    ['driver', 'Mooring could not test it: this says nothing about the target.'],
  ] as const)('of reason %s says whether trying again can help', (reason, words) => {
    shown({ reason })
    expect(screen.getByText(words)).toBeVisible()
  })

  it('of a reason that the page does not know is named as it came', () => {
    shown({ reason: 'quota_spent' as Failure['reason'] })
    expect(screen.getByRole('heading', { name: 'quota spent' })).toBeVisible()
  })
})
