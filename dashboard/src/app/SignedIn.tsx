import { Center, Container, Loader } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { Navigate, Outlet, useLocation } from 'react-router'

import { useApi } from '#/api/context'
import { ApiError } from '#/api/problem'
import { sessionQuery } from '#/api/queries'
import { paths } from '#/lib/paths'
import { ErrorNotice } from '#/ui/ErrorNotice'

/** Shows what is below to those who are signed in, and leads all others to the sign-in and back. */
export function SignedIn() {
  const session = useQuery(sessionQuery(useApi()))
  const here = useLocation()
  if (session.error instanceof ApiError && session.error.status === 401) {
    return <Navigate to={paths.signIn(here.pathname + here.search)} replace />
  }
  if (session.data !== undefined) return <Outlet />
  if (session.error !== null) {
    return (
      <Container size="sm" py="xl">
        <ErrorNotice
          error={session.error}
          title="Mooring cannot be reached"
          onRetry={() => void session.refetch()}
          retrying={session.isFetching}
        />
      </Container>
    )
  }
  return (
    <Center mih="60vh">
      <Loader aria-label="Loading" />
    </Center>
  )
}
