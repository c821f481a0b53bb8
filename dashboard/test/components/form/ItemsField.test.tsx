import { MantineProvider } from '@mantine/core'
import { render, screen, within } from '@testing-library/react'
import userEvent from '@testing-library/user-event'
import { useState } from 'react'
import { expect, it } from 'vitest'

import { SchemaFields } from '#/components/form/SchemaField'
import { bodyOf, type Drafts } from '#/lib/form'
import { fieldsOf } from '#/lib/jsonSchema'
import { placedErrors } from '#/lib/mistakes'
import { storedDrafts } from '#/lib/patch'

const SECRET = { type: 'string', format: 'password', writeOnly: true }
const FIELDS = fieldsOf({
  properties: {
    rounds: { type: 'array', items: { $ref: '#/$defs/Round' }, description: 'In turn.' },
  },
  $defs: {
    Round: {
      title: 'Round',
      type: 'object',
      required: ['url'],
      properties: {
        url: { type: 'string' },
        phrase: { anyOf: [SECRET, { type: 'null' }], default: null },
        lamps: { type: 'array', items: { type: 'integer' } },
        lens: { type: 'object', properties: { order: { type: 'integer' } } },
      },
    },
  },
})
const NONE: ReadonlyMap<string, string> = new Map()

function Form({ stored, errors = NONE }: { stored: Drafts; errors?: ReadonlyMap<string, string> }) {
  const [drafts, setDrafts] = useState(stored)
  return (
    <MantineProvider env="test">
      <SchemaFields
        fields={FIELDS}
        drafts={drafts}
        stored={stored}
        errors={errors}
        disabled={false}
        onChange={(key, draft) => setDrafts((now) => ({ ...now, [key]: draft }))}
      />
      <output>{JSON.stringify(bodyOf(FIELDS, drafts))}</output>
    </MantineProvider>
  )
}

const sent = (): unknown => JSON.parse(screen.getByRole('status').textContent ?? '')
const round = (n: number) => within(screen.getByRole('group', { name: `Round ${n}` }))

it('adds one after the other, and fills in fields of every shape', async () => {
  render(<Form stored={{}} />)
  const user = userEvent.setup({ delay: null })
  expect(sent()).toEqual({})
  await user.click(screen.getByRole('button', { name: 'Add a round' }))
  await user.click(screen.getByRole('button', { name: 'Add a round' }))
  await user.type(round(1).getByRole('textbox', { name: 'Address' }), '/login')
  await user.type(round(1).getByLabelText('Phrase'), 'rocks')
  await user.type(round(2).getByRole('textbox', { name: 'Lamps' }), '1{Enter}2')
  await user.type(round(2).getByRole('textbox', { name: 'Order' }), '3')
  expect(sent()).toEqual({
    rounds: [
      { url: '/login', phrase: 'rocks' },
      { lamps: [1, 2], lens: { order: 3 } },
    ],
  })
}, 20_000)

it('keeps the secret of the one that stays when another is removed', async () => {
  const rounds = [{ url: '/a' }, { url: '/b', phrase: '***' }]
  render(<Form stored={storedDrafts(FIELDS, { rounds })} />)
  const user = userEvent.setup({ delay: null })
  await user.click(screen.getByRole('button', { name: 'Remove round 1' }))
  expect(round(1).getByLabelText('Phrase')).toHaveAttribute('placeholder', 'Unchanged')
  expect(sent()).toEqual({ rounds: [{ url: '/b', phrase: '***' }] })
})

it('tells a mistake at the field of the one that it is about', () => {
  const stored = storedDrafts(FIELDS, { rounds: [{ url: '/a' }, { url: 'b', lamps: [1, 'x'] }] })
  const errors = [
    { field: 'rounds.1.url', message: 'has to begin with /' },
    { field: 'rounds.1.lamps.1', message: 'has to be a number' },
    { field: 'rounds.7.url', message: 'is gone' },
  ]
  const { at, rest } = placedErrors(FIELDS, errors, stored)
  expect(rest).toEqual([])
  render(<Form stored={stored} errors={at} />)
  expect(round(1).getByRole('textbox', { name: 'Address' })).toBeValid()
  expect(round(2).getByRole('textbox', { name: 'Address' })).toHaveAccessibleDescription(
    'has to begin with /',
  )
  expect(round(2).getByText('Line 2: has to be a number')).toBeVisible()
  expect(screen.getByRole('alert')).toHaveTextContent('7.url: is gone')
})
