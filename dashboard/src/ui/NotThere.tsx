import { Button } from '@mantine/core'
import { Link } from 'react-router'

import { EmptyState } from './EmptyState'
import { HiddenTitle } from './HiddenTitle'
import { usePageTitle } from './usePageTitle'

interface NotThereProps {
  /** As in "There is no such pool". */
  what: string
  /** Where all of them are. */
  to: string
}

/** The page of something that there is not. */
export function NotThere({ what, to }: NotThereProps) {
  usePageTitle('Not found')
  return (
    <>
      <HiddenTitle text="Not found" />
      <EmptyState
        title={`There is no such ${what}`}
        actions={
          <Button component={Link} to={to} variant="default">
            All {what}s
          </Button>
        }
      >
        It was removed, or the address is not quite right.
      </EmptyState>
    </>
  )
}
