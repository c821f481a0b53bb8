import { Button, Group, Modal, Stack, Text } from '@mantine/core'
import { notifications } from '@mantine/notifications'
import { useMutation, useQueryClient } from '@tanstack/react-query'
import { useState } from 'react'

import { data } from '#/api/client'
import { useApi } from '#/api/context'
import { keys } from '#/api/queries'
import type { Pool, Wish } from '#/api/types'
import { plural } from '#/lib/format'
import { poolName } from '#/lib/pools'
import { duration } from '#/lib/time'
import { ErrorNotice } from '#/ui/ErrorNotice'

import { WISH_WORDS } from './wishes'

interface WishButtonProps {
  pool: Pool
  wish: Wish
}

/** Asks whether every process of a pool is to do something, and has it done. */
export function WishButton({ pool, wish }: WishButtonProps) {
  const [asking, setAsking] = useState(false)
  const want = useWish(pool, wish, () => setAsking(false))
  const { button, yes, question, does } = WISH_WORDS[wish]
  const close = () => {
    setAsking(false)
    want.reset()
  }
  return (
    <>
      <Button variant="default" onClick={() => setAsking(true)}>
        {button}
      </Button>
      <Modal
        opened={asking}
        onClose={close}
        title={question}
        centered
        closeButtonProps={{ 'aria-label': 'Close' }}
      >
        <Stack>
          <Text size="sm" fw={600} style={{ overflowWrap: 'anywhere' }}>
            <bdi>{poolName(pool)}</bdi>, {plural(pool.totals.instances, 'process', 'processes')}
          </Text>
          <Text size="sm">{does}</Text>
          {want.error !== null && <ErrorNotice error={want.error} title="Nothing was asked for" />}
          <Group justify="flex-end" gap="xs">
            <Button variant="default" onClick={close} data-autofocus>
              Leave it
            </Button>
            <Button loading={want.isPending} onClick={() => want.mutate()}>
              {yes}
            </Button>
          </Group>
        </Stack>
      </Modal>
    </>
  )
}

function useWish(pool: Pool, wish: Wish, onDone: () => void) {
  const api = useApi()
  const cache = useQueryClient()
  const params = { path: { target_id: pool.id, do: wish } }
  return useMutation({
    mutationFn: () => data(api.client.POST('/api/v1/pools/{target_id}/{do}', { params })),
    onSuccess: ({ instances }) => {
      const within = Math.max(0, ...pool.instances.filter((each) => each.live).map(intervalOf))
      notifications.show({
        message: `${plural(instances, 'process', 'processes')} of ${poolName(pool)} ${WISH_WORDS[wish].will}, with the next report: within ${duration(within)}.`,
      })
      onDone()
    },
    onSettled: () => cache.invalidateQueries({ queryKey: keys.pools }),
  })
}

const intervalOf = ({ interval }: Pool['instances'][number]): number => Math.ceil(interval)
