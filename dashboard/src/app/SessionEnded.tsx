import { Modal, Stack, Text } from '@mantine/core'
import { useQueryClient } from '@tanstack/react-query'
import { use } from 'react'

import { LiveContext } from '#/api/context'
import { keys } from '#/api/queries'
import { TokenForm, useSignIn } from '#/components/TokenForm'

interface SessionEndedProps {
  opened: boolean
}

/** The sign-in over a page that stays as it is, with all that was typed into it. */
export function SessionEnded({ opened }: SessionEndedProps) {
  return (
    <Modal
      opened={opened}
      onClose={() => undefined}
      title="Your session has ended"
      withCloseButton={false}
      closeOnEscape={false}
      closeOnClickOutside={false}
      zIndex="var(--mantine-z-index-overlay)" // a dialog may be open below it
      centered
    >
      <Again />
    </Modal>
  )
}

function Again() {
  const cache = useQueryClient()
  const live = use(LiveContext)
  const signIn = useSignIn(async (session) => {
    await cache.cancelQueries({ queryKey: keys.session })
    cache.setQueryData(keys.session, session)
    // Read anew and not forgotten: a form that is open stands on it. The stream brings the overview.
    void cache.invalidateQueries({
      predicate: ({ queryKey: [what] }) => what !== keys.session[0] && what !== keys.overview[0],
    })
    live?.hurry()
  })
  return (
    <Stack>
      <Text size="sm">Sign in again to go on; nothing you typed is lost.</Text>
      <TokenForm signIn={signIn} />
    </Stack>
  )
}
