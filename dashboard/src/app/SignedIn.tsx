import { Center, Container, Loader } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { Navigate, Outlet, useLocation } from 'react-router'

import { useApi } from '#/api/context'
import { isSignedOut } from '#/api/problem'
import { sessionQuery } from '#/api/queries'
import { paths } from '#/lib/paths'
import { ErrorNotice } from '#/ui/ErrorNotice'

import { SessionEnded } from './SessionEnded'

/**
 * Shows what is below to those who are signed in, and leads all others to the sign-in and back. Whose
 * session ends meanwhile signs in over the page, which keeps what they typed.
 */
export function SignedIn() {
  const api = useApi()
  const session = useQuery(sessionQuery(api))
  const here = useLocation()
  const nobody = isSignedOut(session.error)
  // Without the csrf they have signed out themselves.
  const stays = session.data !== undefined && !(nobody && api.csrf === null)
  if (nobody && !stays) {
    return <Navigate to={paths.signIn(here.pathname + here.search)} replace />
  }
  if (stays) {
    return (
      <>
        <Outlet />
        <SessionEnded opened={nobody} />
      </>
    )
  }
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
