import { Button, Group, Modal, Stack, Text } from '@mantine/core'
import { notifications } from '@mantine/notifications'
import { useMutation, useQueryClient } from '@tanstack/react-query'
import { useNavigate } from 'react-router'

import { useApi } from '#/api/context'
import { ApiError } from '#/api/problem'
import { keys } from '#/api/queries'
import type { Target } from '#/api/types'
import { paths } from '#/lib/paths'
import { ErrorNotice } from '#/ui/ErrorNotice'

interface RemoveDialogProps {
  target: Target
  opened: boolean
  onClose: () => void
}

/** Asks whether this target, by its name, is to be removed, and removes it at the version shown. */
export function RemoveDialog({ target, opened, onClose }: RemoveDialogProps) {
  const remove = useRemoval(target)
  const close = () => {
    remove.reset()
    onClose()
  }
  return (
    <Modal opened={opened} onClose={close} title={<b>Remove this target?</b>} centered>
      <Stack gap="md">
        <Text style={{ overflowWrap: 'anywhere' }}>
          <b>
            <bdi>{target.name}</bdi>
          </b>{' '}
          is no longer tested, and its history goes with it. This cannot be undone.
        </Text>
        {remove.error !== null && (
          <ErrorNotice error={remove.error} title="The target was not removed" />
        )}
        <Group justify="flex-end" gap="xs">
          <Button variant="default" onClick={close} data-autofocus>
            Keep it
          </Button>
          <Button color="red" loading={remove.isPending} onClick={() => remove.mutate()}>
            Remove
          </Button>
        </Group>
      </Stack>
    </Modal>
  )
}

function useRemoval(target: Target) {
  const api = useApi()
  const cache = useQueryClient()
  const navigate = useNavigate()
  return useMutation({
    mutationFn: () =>
      api.client.DELETE('/api/v1/targets/{target_id}', {
        params: {
          path: { target_id: target.id },
          header: { 'if-match': `"${target.version}"` },
        },
      }),
    onSuccess: async () => {
      notifications.show({ message: `${target.name} was removed.` })
      await navigate(paths.overview())
      cache.removeQueries({ queryKey: keys.target(target.id) })
      await cache.invalidateQueries({ queryKey: keys.overview })
    },
    onError: (error) => {
      // Somebody else was faster: show what they made of it before it is decided again.
      const stale = error instanceof ApiError && [404, 412].includes(error.status)
      if (stale) void cache.invalidateQueries({ queryKey: keys.target(target.id) })
    },
  })
}
