import { Button, Code, Container, Paper, PasswordInput, Stack, Text, Title } from '@mantine/core'
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { type FormEvent, useState } from 'react'
import { Navigate, useNavigate, useSearchParams } from 'react-router'

import { type Api, data } from '#/api/client'
import { useApi } from '#/api/context'
import { keys, sessionQuery } from '#/api/queries'
import { paths } from '#/lib/paths'
import { Mark } from '#/ui/Mark'
import { usePageTitle } from '#/ui/usePageTitle'

/** Signs in with a token, or with the one-time code of the address: at the press of a button, so that
    no program that looks at links in advance uses it up. */
export function SignInPage() {
  usePageTitle('Sign in')
  const [params] = useSearchParams()
  const code = params.get('code')
  const to = inside(params.get('to'))
  const session = useQuery({ ...sessionQuery(useApi()), enabled: code === null, retry: false })
  const [spent, setSpent] = useState<string | null>(null)
  if (session.isSuccess && !session.isFetching && code === null) return <Navigate to={to} replace />
  return (
    <Container component="main" size="26rem" py="10vh">
      <Stack gap="lg">
        <Stack align="center" gap="xs">
          <Mark size={40} />
          <Title order={1}>Sign in to Mooring</Title>
        </Stack>
        <Paper withBorder p="lg">
          {code !== null && spent === null ? (
            <CodeForm code={code} to={to} onRefused={setSpent} />
          ) : (
            <TokenForm to={to} mistake={spent} />
          )}
        </Paper>
      </Stack>
    </Container>
  )
}

/** An address within the page: what another site made up leads nowhere else. */
const inside = (to: string | null): string =>
  to !== null && /^\/(?![/\\])/.test(to) ? to : paths.overview()

function useSignIn(to: string) {
  const api = useApi()
  const cache = useQueryClient()
  const navigate = useNavigate()
  return useMutation({
    mutationFn: (token: string) => signIn(api, token),
    onSuccess: async (session) => {
      api.enter(session.csrf)
      cache.clear() // it may be somebody else's
      cache.setQueryData(keys.session, session)
      await navigate(to, { replace: true })
    },
  })
}

const signIn = (api: Api, token: string) =>
  data(api.client.POST('/api/v1/session', { body: { token } }))

interface CodeFormProps {
  code: string
  to: string
  onRefused: (words: string) => void
}

function CodeForm({ code, to, onRefused }: CodeFormProps) {
  const made = useSignIn(to)
  return (
    <Stack>
      <Text size="sm">This address signs you in once.</Text>
      <Button
        fullWidth
        data-autofocus
        loading={made.isPending}
        onClick={() => made.mutate(code, { onError: (error) => onRefused(error.message) })}
      >
        Sign in
      </Button>
    </Stack>
  )
}

/** Once, when it is put on the page: there is nothing else to do on it. */
const focus = (field: HTMLInputElement | null) => field?.focus()

function TokenForm({ to, mistake }: { to: string; mistake: string | null }) {
  const made = useSignIn(to)
  const [empty, setEmpty] = useState(false)
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault()
    const token = new FormData(event.currentTarget).get('token')
    setEmpty(token === '')
    if (typeof token === 'string' && token !== '') made.mutate(token.trim())
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
          name="token"
          label="Token"
          autoComplete="current-password"
          required
          withAsterisk={false}
          error={empty ? 'Enter a token.' : (made.error?.message ?? mistake)}
        />
        <Button type="submit" fullWidth loading={made.isPending}>
          Sign in
        </Button>
        <Text size="sm" c="dimmed">
          <Code>mooring token create --role viewer --name ME</Code> makes a token.
        </Text>
      </Stack>
    </form>
  )
}
