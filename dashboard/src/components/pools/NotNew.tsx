import { Button } from '@mantine/core'
import { IconCloudOff } from '@tabler/icons-react'

import { useLive } from '#/api/context'
import { isSignedOut } from '#/api/problem'
import { clockTime } from '#/lib/time'
import { Note } from '#/ui/Note'

interface NotNewProps {
  /** What the last reading failed with; null where it did not. */
  error: Error | null
  /** When what is shown was read, in ms. */
  readAt: number
  onRetry: () => void
  retrying: boolean
}

/** Says since when what is shown is not new, and why; where nothing at all is heard, the page says so above. */
export function NotNew({ error, readAt, onRetry, retrying }: NotNewProps) {
  const { phase } = useLive()
  if (error === null || isSignedOut(error) || phase === 'broken') return null
  return (
    <Note
      icon={<IconCloudOff size={16} aria-hidden="true" />}
      text={`This is what was known at ${clockTime(readAt)}. ${error.message}`}
    >
      <Button variant="default" size="compact-sm" loading={retrying} onClick={onRetry}>
        Try again
      </Button>
    </Note>
  )
}
