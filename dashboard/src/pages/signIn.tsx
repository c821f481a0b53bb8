import { Button, Container, Paper, Stack, Text, Title } from '@mantine/core'
import { useQuery, useQueryClient } from '@tanstack/react-query'
import { useState } from 'react'
import { Navigate, useNavigate, useSearchParams } from 'react-router'

import { useApi } from '#/api/context'
import { keys, sessionQuery } from '#/api/queries'
import { TokenForm, useSignIn } from '#/components/TokenForm'
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
            <ByToken to={to} mistake={spent} />
          )}
        </Paper>
      </Stack>
    </Container>
  )
}

/** An address within the page: what another site made up leads nowhere else. */
const inside = (to: string | null): string =>
  to !== null && /^\/(?![/\\])/.test(to) ? to : paths.overview()

function useEnter(to: string) {
  const cache = useQueryClient()
  const navigate = useNavigate()
  return useSignIn(async (session) => {
    cache.clear() // it may be somebody else's
    cache.setQueryData(keys.session, session)
    await navigate(to, { replace: true })
  })
}

interface CodeFormProps {
  code: string
  to: string
  onRefused: (words: string) => void
}

function ByToken({ to, mistake }: { to: string; mistake: string | null }) {
  return <TokenForm signIn={useEnter(to)} mistake={mistake} />
}

function CodeForm({ code, to, onRefused }: CodeFormProps) {
  const made = useEnter(to)
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
