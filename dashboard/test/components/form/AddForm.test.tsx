import { screen } from '@testing-library/react'
import userEvent from '@testing-library/user-event'
import { describe, expect, it } from 'vitest'

import { AddForm } from '#/components/form/AddForm'

import { renderPage } from '../../render'
import { TargetServer } from '../../target-server'
import { aKind } from '../../values'

const url = { type: 'string', examples: ['postgresql://db.example/orders'] }
const KINDS = [aKind({ settings: { properties: { url } } })]

async function typed(text: string) {
  renderPage(<AddForm kinds={KINDS} common={{}} />, { api: new TargetServer() })
  const input = screen.getByRole('textbox', { name: 'Paste an address' })
  await userEvent.type(input, text)
  return input
}

describe('the address', () => {
  it.each(['db.example:5432', 'db.example', 'not an address'])(
    '%s lacks its scheme',
    async (text) => {
      const input = await typed(text)
      expect(input).toHaveAccessibleDescription(
        'An address begins with what it speaks, such as postgresql://. Write that before it, or choose a kind below.',
      )
    },
  )

  it('of a scheme that no kind takes is told as such', async () => {
    expect(await typed('gopher://there')).toHaveAccessibleDescription(/^No kind takes gopher:/)
  })

  it('shows its password while it is typed, and after that where it is asked for', async () => {
    const address = 'postgresql://app:s3cret@db.example/orders'
    const input = await typed(address)
    expect(input).toHaveValue(address)
    await userEvent.tab()
    expect(input).toHaveValue('postgresql://app:•••@db.example/orders')
    await userEvent.click(screen.getByRole('button', { name: 'Show the password' }))
    expect(input).toHaveValue(address)
    await userEvent.click(screen.getByRole('button', { name: 'Hide the password' }))
    await userEvent.type(input, '2')
    expect(input).toHaveValue(`${address}2`)
  })

  it('has no eye where it has no password', async () => {
    await typed('postgresql://db.example/orders')
    expect(screen.queryByRole('button', { name: /the password$/ })).toBeNull()
  })

  it('is shown by an example of the kind that was chosen', () => {
    const at = '/add?kind=postgresql'
    renderPage(<AddForm kinds={KINDS} common={{}} />, { api: new TargetServer(), at })
    expect(screen.getByRole('textbox', { name: 'Paste an address' })).toHaveAttribute(
      'placeholder',
      'e.g. postgresql://db.example/orders',
    )
  })
})
