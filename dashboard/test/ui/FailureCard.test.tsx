import { MantineProvider } from '@mantine/core'
import { render, screen } from '@testing-library/react'
import userEvent from '@testing-library/user-event'
import { describe, expect, it } from 'vitest'

import type { AboutReason, Failure } from '#/api/types'
import { FailureCard, WarningsCard } from '#/ui/FailureCard'

import { aFailure, QUOTA } from '../values'

const shown = (failure: Partial<Failure>, about?: AboutReason) =>
  render(
    <MantineProvider env="test">
      <FailureCard failure={aFailure(failure)} about={about} status="down" />
    </MantineProvider>,
  )

describe('what works with a warning', () => {
  it('shows code in it as code', () => {
    render(
      <MantineProvider env="test">
        <WarningsCard warnings={['Return it in a `with` block.']} />
      </MantineProvider>,
    )
    expect(screen.getByRole('listitem')).toHaveTextContent('Return it in a with block.')
    expect(screen.getByText('with').tagName).toBe('CODE')
  })
})

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

  it('says what the API advises where the failure itself says nothing', () => {
    shown({}, QUOTA)
    expect(screen.getByText('Wait, or buy more.')).toBeVisible()
  })

  it.each([{ hint: 'Ask the DBA.' }, { fix: 'GRANT x;' }])('advises nothing beside %o', (said) => {
    shown(said, QUOTA)
    expect(screen.queryByText('Wait, or buy more.')).toBeNull()
  })

  it('names its reason as it came until the API has told of it', () => {
    shown({ reason: QUOTA.name })
    expect(screen.getByRole('heading', { name: 'quota spent' })).toBeVisible()
  })
})
