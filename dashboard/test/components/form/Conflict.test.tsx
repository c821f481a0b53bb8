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
    password: { type: 'string', format: 'password', writeOnly: true },
  },
})
const target = (more: object) =>
  ({
    name: 'orders',
    interval: 30,
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
  expect(resolve).toHaveBeenCalledWith({ name: 'theirs', interval: '120', password: '***' }, theirs)
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
