import { Anchor } from '@mantine/core'
import { Link } from 'react-router'

import { paths } from '#/lib/paths'
import { EmptyState } from '#/ui/EmptyState'
import { HiddenTitle } from '#/ui/HiddenTitle'
import { usePageTitle } from '#/ui/usePageTitle'

export function NotFoundPage() {
  usePageTitle('Not found')
  return (
    <>
      <HiddenTitle text="Not found" />
      <EmptyState
        title="There is nothing at this address"
        actions={
          <Anchor component={Link} to={paths.overview()}>
            Go to the overview
          </Anchor>
        }
      >
        It may have been removed, or the address may have been cut short.
      </EmptyState>
    </>
  )
}
