import { MantineProvider } from '@mantine/core'
import { render, screen, within } from '@testing-library/react'
import userEvent from '@testing-library/user-event'
import { expect, it, vi } from 'vitest'

import type { Target } from '#/api/types'
import { Conflict } from '#/components/form/Conflict'
import type { Drafts } from '#/lib/form'
import { storedDrafts } from '#/lib/patch'
import { fieldsOf } from '#/lib/jsonSchema'

const FIELDS = fieldsOf({
  properties: {
    name: { type: 'string' },
    interval: { type: 'number' },
    enabled: { type: 'boolean', default: true },
    password: { type: 'string', format: 'password', writeOnly: true },
  },
})
const target = (more: object) =>
  ({
    name: 'orders',
    interval: 30,
    enabled: true,
    password: '***',
    changed_at: null,
    ...more,
  }) as unknown as Target
const WAS = target({})

function show(theirs: Target, mine: Drafts) {
  const resolve = vi.fn<(decided: Drafts, from: Target) => void>()
  render(
    <MantineProvider env="test">
      <Conflict
        fields={FIELDS}
        was={WAS}
        theirs={theirs}
        mine={{ ...storedDrafts(FIELDS, WAS), ...mine }}
        saving={false}
        onResolve={resolve}
      />
    </MantineProvider>,
  )
  return resolve
}

it('keeps what is typed where both changed a setting, unless theirs is chosen', async () => {
  const theirs = target({ interval: 90, name: 'theirs' })
  const resolve = show(theirs, { interval: '120', name: 'mine' })
  const name = screen.getByRole('radiogroup', { name: 'Name' })
  await userEvent.click(within(name).getByRole('radio', { name: /^Theirs/ }))
  await userEvent.click(screen.getByRole('button', { name: 'Save with these choices' }))
  expect(resolve).toHaveBeenCalledWith(
    { name: 'theirs', interval: '120', enabled: true, password: '***' },
    theirs,
  )
})

it('names a typed secret without showing it', () => {
  show(target({ password: undefined }), { password: 's3cret' })
  expect(screen.getByText('what you have typed')).toBeVisible()
  expect(document.body).not.toHaveTextContent('s3cret')
})

it('says where what they changed cannot be shown', () => {
  show(WAS, { name: 'mine' })
  expect(screen.getByRole('alert')).toHaveTextContent('What they changed is hidden')
})

it('asks whose secret holds where one was typed, for theirs does not show', async () => {
  const theirs = target({ name: 'theirs' })
  const resolve = show(theirs, { password: 's3cret' })
  const password = screen.getByRole('radiogroup', { name: 'Password' })
  expect(password).toHaveAccessibleDescription(
    'You changed it. It is hidden, so nobody can see here whether they changed it too: yours would replace theirs.',
  )
  expect(within(password).getByRole('radio', { name: 'Yours what you have typed' })).toBeChecked()
  await userEvent.click(within(password).getByRole('radio', { name: 'Theirs what is stored now' }))
  await userEvent.click(screen.getByRole('button', { name: 'Save with these choices' }))
  expect(resolve.mock.calls[0]?.[0]).toMatchObject({ name: 'theirs', password: '***' })
})

it('tells that both typed the same, and leaves nothing to choose', () => {
  show(target({ interval: 90 }), { interval: '90' })
  const alert = screen.getByRole('alert')
  expect(alert).toHaveTextContent('It was 30. Both of you changed it to the same.')
  expect(within(alert).queryByRole('radio')).toBeNull()
})

it('tells of a switch that it is on or off', () => {
  show(target({ enabled: false }), {})
  const enabled = screen.getByRole('radiogroup', { name: 'Enabled' })
  expect(enabled).toHaveAccessibleDescription('It was on. You did not change it.')
  expect(within(enabled).getByRole('radio', { name: 'Yours on' })).not.toBeChecked()
  expect(within(enabled).getByRole('radio', { name: 'Theirs off' })).toBeChecked()
})
