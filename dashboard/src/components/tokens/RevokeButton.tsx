import { Alert, Button, Group, Modal, Stack, Text } from '@mantine/core'
import { useMutation, useQueryClient } from '@tanstack/react-query'
import { useState } from 'react'

import { data } from '#/api/client'
import { useApi, useSession } from '#/api/context'
import { keys } from '#/api/queries'
import type { Token } from '#/api/types'
import { useLeave } from '#/components/useLeave'
import { ErrorNotice } from '#/ui/ErrorNotice'

interface RevokeButtonProps {
  token: Token
}

/** Revokes a token once the reader has said so twice. */
export function RevokeButton({ token }: RevokeButtonProps) {
  const [asking, setAsking] = useState(false)
  const revoke = useRevoke(token.id)
  const close = () => {
    setAsking(false)
    revoke.reset()
  }
  return (
    <>
      <Button
        size="xs"
        variant="subtle"
        color="red"
        aria-label={`Revoke ${token.name}`}
        onClick={() => setAsking(true)}
      >
        Revoke
      </Button>
      <Modal
        opened={asking}
        onClose={close}
        title={`Revoke ${token.name}?`}
        closeButtonProps={{ 'aria-label': 'Close' }}
      >
        <Stack>
          <Text size="sm">
            Whoever uses it is turned away from now on, and sessions that were opened by it end. It
            cannot be taken back; a new token can be made.
          </Text>
          <YourOwn token={token} />
          {revoke.error !== null && (
            <ErrorNotice title="The token was not revoked" error={revoke.error} />
          )}
          <Group justify="flex-end" gap="xs">
            <Button variant="default" onClick={close} data-autofocus>
              Keep it
            </Button>
            <Button color="red" loading={revoke.isPending} onClick={() => revoke.mutate()}>
              Revoke
            </Button>
          </Group>
        </Stack>
      </Modal>
    </>
  )
}

/** A warning where it is the token that the reader signed in with. */
function YourOwn({ token }: RevokeButtonProps) {
  if (useSession()?.token_id !== token.id) return null
  return (
    <Alert color="orange" title="You are signed in with this token">
      You are signed out at once, here and wherever else it was used to sign in.
    </Alert>
  )
}

function useRevoke(id: number) {
  const api = useApi()
  const own = useSession()?.token_id === id
  const leave = useLeave()
  const cache = useQueryClient()
  return useMutation({
    mutationFn: () =>
      data(api.client.DELETE('/api/v1/tokens/{token_id}', { params: { path: { token_id: id } } })),
    onSuccess: () => (own ? leave() : cache.invalidateQueries({ queryKey: keys.tokens })),
  })
}
