import { Container } from '@mantine/core'
import { useRouteError } from 'react-router'

import { ErrorNotice } from '#/ui/ErrorNotice'

/** What stands where a page failed. */
export function RouteTrouble() {
  const thrown = useRouteError()
  const error = thrown instanceof Error ? thrown : new Error(String(thrown))
  return (
    <Container size="sm" py="xl">
      <ErrorNotice
        title="This page could not be shown"
        error={error}
        onRetry={() => window.location.reload()}
      />
    </Container>
  )
}
