import { screen } from '@testing-library/react'
import userEvent from '@testing-library/user-event'
import { expect, test } from 'vitest'

import { Api } from '#/api/client'
import { ApiError } from '#/api/problem'
import { TokenForm, useSignIn } from '#/components/TokenForm'

import { renderPage } from '../render'

class Refusing extends Api {
  override fetch = () =>
    Promise.reject(new ApiError({ status: 401, detail: 'This token is not known.', errors: [] }))
}

function Form() {
  return <TokenForm signIn={useSignIn(() => Promise.resolve())} />
}

test('a refused token’s field is told as invalid, with why', async () => {
  renderPage(<Form />, { api: new Refusing() })
  const field = screen.getByLabelText('Token')
  expect(field).not.toHaveAttribute('aria-invalid')
  expect(field).not.toHaveAttribute('aria-describedby')

  await userEvent.type(field, 'wrong{Enter}')

  expect(await screen.findByRole('alert')).toHaveTextContent('This token is not known.')
  expect(field).toHaveAttribute('aria-invalid', 'true')
  expect(field).toHaveAccessibleDescription('This token is not known.')
})

test('without a token the field says that it wants one', async () => {
  renderPage(<Form />)
  const field = screen.getByLabelText('Token')

  await userEvent.click(screen.getByRole('button', { name: 'Sign in' }))

  expect(field).toBeInvalid()
  expect(field).toHaveAccessibleDescription('Enter a token.')
})
