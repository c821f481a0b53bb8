import { Button, Code, PasswordInput, Stack, Text } from '@mantine/core'
import { useMutation } from '@tanstack/react-query'
import { type FormEvent, useState } from 'react'

import { data } from '#/api/client'
import { useApi } from '#/api/context'
import type { Session } from '#/api/types'

/** Opens a session with a token or with a one-time code; `entered` makes the page go on with it. */
export function useSignIn(entered: (session: Session) => Promise<unknown>) {
  const api = useApi()
  return useMutation({
    gcTime: 0, // it holds the token
    mutationFn: (token: string) => data(api.client.POST('/api/v1/session', { body: { token } })),
    onSuccess: async (session) => {
      api.enter(session.csrf)
      await entered(session)
    },
  })
}

/** Once, when it is put on the page: there is nothing else to do on it. */
const focus = (field: HTMLInputElement | null) => field?.focus()

interface TokenFormProps {
  signIn: ReturnType<typeof useSignIn>
  /** What is wrong before anything is entered. */
  mistake?: string | null
}

/** Asks for a token. */
export function TokenForm({ signIn, mistake = null }: TokenFormProps) {
  const [empty, setEmpty] = useState(false)
  const error = empty ? 'Enter a token.' : (signIn.error?.message ?? mistake)
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault()
    const token = new FormData(event.currentTarget).get('token')
    setEmpty(token === '')
    if (typeof token === 'string' && token !== '') signIn.mutate(token.trim())
  }
  return (
    <form onSubmit={submit} noValidate>
      <Stack>
        {/* A password manager keeps what it can name. */}
        <input
          type="text"
          name="username"
          autoComplete="username"
          value="mooring"
          readOnly
          hidden
        />
        <PasswordInput
          ref={focus}
          data-autofocus
          name="token"
          label="Token"
          autoComplete="current-password"
          required
          withAsterisk={false}
          error={error}
          errorProps={{ role: 'alert' }}
          aria-invalid={error === null ? undefined : true} // Mantine says it of all fields but this
        />
        <Button type="submit" fullWidth loading={signIn.isPending}>
          Sign in
        </Button>
        <Text size="sm" c="dimmed">
          On the machine that Mooring runs on,{' '}
          <Code>mooring token create --role ROLE --name ME</Code> makes a token. ROLE is viewer,
          operator or admin.
        </Text>
      </Stack>
    </form>
  )
}
