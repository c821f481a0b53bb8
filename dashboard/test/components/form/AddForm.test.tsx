import { screen } from '@testing-library/react'
import userEvent from '@testing-library/user-event'
import { describe, expect, it } from 'vitest'

import { AddForm } from '#/components/form/AddForm'

import { renderPage } from '../../render'
import { TargetServer } from '../../target-server'
import { aKind } from '../../values'

const KINDS = [aKind({ settings: { properties: { url: { type: 'string' } } } })]

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
})
