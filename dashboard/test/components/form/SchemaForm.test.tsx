import { MantineProvider } from '@mantine/core'
import { render, screen, within } from '@testing-library/react'
import userEvent from '@testing-library/user-event'
import { useState } from 'react'
import { expect, it } from 'vitest'

import { SchemaForm } from '#/components/form/SchemaForm'
import { bodyOf, type Drafts } from '#/lib/form'
import { storedDrafts } from '#/lib/patch'
import { fieldsOf } from '#/lib/jsonSchema'

const SECRET = { type: 'string', format: 'password', writeOnly: true }
const FIELDS = fieldsOf({
  required: ['keeper'],
  properties: {
    keeper: { type: 'string', description: 'Who keeps it, `ps` says.' },
    phrase: { anyOf: [SECRET, { type: 'null' }], default: null },
    height: { type: 'number', default: 12.5, minimum: 1, description: 'Metres.' },
    lit: { type: 'boolean', default: true },
    colour: { enum: ['white', 'red'], default: 'white' },
    harbours: { type: 'array', items: { type: 'string' }, examples: [['Alpha']] },
    signals: { type: 'object', additionalProperties: { type: 'string' } },
    lens: { type: 'object', properties: { order: { type: 'integer' } } },
  },
})
const PARTS = [{ title: 'Lantern', fields: FIELDS }]
const NOTHING: Drafts = {}
const NONE: ReadonlyMap<string, string> = new Map()

interface FormProps {
  stored?: Drafts
  errors?: ReadonlyMap<string, string>
}

function Form({ stored = NOTHING, errors = NONE }: FormProps) {
  const [drafts, setDrafts] = useState(stored)
  return (
    <MantineProvider env="test">
      <SchemaForm
        parts={PARTS}
        drafts={drafts}
        stored={stored}
        errors={errors}
        onChange={(key, draft) => setDrafts((now) => ({ ...now, [key]: draft }))}
      />
      <output>{JSON.stringify(bodyOf(FIELDS, drafts))}</output>
    </MantineProvider>
  )
}

const sent = (): unknown => JSON.parse(screen.getByRole('status').textContent ?? '')
const unfold = () => userEvent.click(screen.getByRole('button', { name: /^More settings/ }))

it('fills a field of every shape', async () => {
  render(<Form />)
  const user = userEvent.setup({ delay: null })
  await user.type(screen.getByRole('textbox', { name: 'Keeper' }), 'Ida')
  await user.type(screen.getByRole('textbox', { name: 'Phrase' }), 'rocks')
  await unfold()
  await user.type(screen.getByRole('textbox', { name: 'Height' }), '31.5')
  await user.click(screen.getByRole('switch', { name: 'Lit' }))
  await user.type(screen.getByRole('textbox', { name: 'Harbours' }), 'Alpha{Enter}Bravo, inner')
  await user.click(screen.getByRole('button', { name: 'Add to signals' }))
  await user.type(screen.getByRole('textbox', { name: 'Signals 1, name' }), 'flash')
  await user.type(screen.getByRole('textbox', { name: 'Signals 1, value' }), 'come')
  const lens = screen.getByRole('group', { name: 'Lens' })
  await user.type(within(lens).getByRole('textbox', { name: 'Order' }), '2')
  expect(sent()).toEqual({
    keeper: 'Ida',
    phrase: 'rocks',
    height: 31.5,
    lit: false,
    harbours: ['Alpha', 'Bravo, inner'],
    signals: { flash: 'come' },
    lens: { order: 2 },
  })
}, 20_000)

it('shows defaults and examples without sending them', async () => {
  render(<Form />)
  await unfold()
  expect(screen.getByRole('textbox', { name: 'Height' })).toHaveAttribute('placeholder', '12.5')
  expect(screen.getByRole('textbox', { name: 'Harbours' })).toHaveAttribute(
    'placeholder',
    'e.g. Alpha',
  )
  expect(screen.getByRole('switch', { name: 'Lit' })).toBeChecked()
  expect(screen.getByText('Metres. At least 1.')).toBeVisible()
  expect(sent()).toEqual({})
})

it('unfolds for a mistake that is folded, and tells it at the field', () => {
  render(<Form errors={new Map([['lens.order', 'has to be at least 1']])} />)
  const order = screen.getByRole('textbox', { name: 'Order' })
  expect(order).toBeInvalid()
  expect(order).toHaveAccessibleDescription('has to be at least 1')
})

it('keeps a stored secret until another is typed, and hides what is typed', async () => {
  render(<Form stored={storedDrafts(FIELDS, { keeper: 'Ida', phrase: '***' })} />)
  const user = userEvent.setup({ delay: null })
  expect(screen.getByRole('textbox', { name: 'Phrase' })).toHaveAttribute(
    'placeholder',
    'Unchanged',
  )
  await user.click(screen.getByRole('button', { name: 'Replace phrase' }))
  expect(sent()).toEqual({ keeper: 'Ida', phrase: '***' })
  const phrase = screen.getByRole('textbox', { name: 'Phrase' })
  await user.type(phrase, 'new')
  expect(sent()).toEqual({ keeper: 'Ida', phrase: 'new' })
  await user.clear(phrase)
  expect(sent()).toEqual({ keeper: 'Ida', phrase: '***' })
  await user.click(screen.getByRole('button', { name: /^Keep/ }))
  await user.click(screen.getByRole('button', { name: 'Remove phrase' }))
  expect(sent()).toEqual({ keeper: 'Ida' })
})

it('tells that a name stands in a table twice', async () => {
  render(<Form stored={storedDrafts(FIELDS, { signals: { a: '1', b: '2' } })} />)
  await unfold()
  const second = screen.getByRole('textbox', { name: 'Signals 2, name' })
  await userEvent.clear(second)
  await userEvent.type(second, 'a')
  expect(screen.getAllByText('Stands there twice')).toHaveLength(2)
})
