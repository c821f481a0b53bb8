import { Button, Group, Modal, Radio, Stack, TextInput } from '@mantine/core'
import { IconPlus } from '@tabler/icons-react'
import { useMutation, useQueryClient } from '@tanstack/react-query'
import { type FormEvent, useState } from 'react'

import { data } from '#/api/client'
import { useApi } from '#/api/context'
import { ApiError } from '#/api/problem'
import { keys } from '#/api/queries'
import type { Role } from '#/api/types'
import { ErrorNotice } from '#/ui/ErrorNotice'

import { NewToken } from './NewToken'

const ROLE_WORDS: Record<Role, string> = {
  reporter: 'Sends what programs report of their pools, and sees nothing.',
  viewer: 'Sees everything, changes nothing.',
  operator: 'Tests, adds, edits, pauses and removes targets too.',
  admin: 'May do everything, and make and revoke tokens.',
}
const ROLES = Object.keys(ROLE_WORDS) as Role[]

export function NewTokenButton() {
  const [opened, setOpened] = useState(false)
  const make = useMake()
  const close = () => {
    setOpened(false)
    make.reset() // the secret is forgotten here too
  }
  const secret = make.data?.token
  const kept = secret === undefined
  return (
    <>
      <Button
        leftSection={<IconPlus size={16} aria-hidden="true" />}
        onClick={() => setOpened(true)}
      >
        New token
      </Button>
      <Modal
        opened={opened}
        onClose={close}
        size="lg"
        title={kept ? 'New token' : 'Your new token'}
        withCloseButton={kept}
        closeOnClickOutside={kept}
        closeOnEscape={kept}
        closeButtonProps={{ 'aria-label': 'Close' }}
      >
        {secret === undefined ? (
          <TokenForm make={make} onCancel={close} />
        ) : (
          <NewToken secret={secret} onKept={close} />
        )}
      </Modal>
    </>
  )
}

interface Wanted {
  name: string
  role: Role
}

function useMake() {
  const api = useApi()
  const cache = useQueryClient()
  return useMutation({
    mutationFn: (body: Wanted) => data(api.client.POST('/api/v1/tokens', { body })),
    onSuccess: () => cache.invalidateQueries({ queryKey: keys.tokens }),
    gcTime: 0,
  })
}

interface TokenFormProps {
  make: ReturnType<typeof useMake>
  onCancel: () => void
}

function TokenForm({ make, onCancel }: TokenFormProps) {
  const [wanted, setWanted] = useState<Wanted>({ name: '', role: 'viewer' })
  const send = (event: FormEvent) => {
    event.preventDefault()
    make.mutate(wanted)
  }
  const mistake = make.error instanceof ApiError ? make.error.of('name') : undefined
  return (
    <form onSubmit={send} noValidate>
      <Stack>
        <TextInput
          label="Name"
          description="Who or what uses it, such as “deploy script”."
          value={wanted.name}
          onChange={(event) => setWanted({ ...wanted, name: event.currentTarget.value })}
          error={mistake}
          autoComplete="off"
          data-autofocus
        />
        <Radio.Group
          label="Role"
          value={wanted.role}
          onChange={(role) => setWanted({ ...wanted, role: role as Role })}
        >
          <Stack gap="xs" mt={6}>
            {ROLES.map((role) => (
              <Radio key={role} value={role} label={role} description={ROLE_WORDS[role]} />
            ))}
          </Stack>
        </Radio.Group>
        {make.error !== null && mistake === undefined && (
          <ErrorNotice title="No token was made" error={make.error} />
        )}
        <Group justify="flex-end" gap="xs">
          <Button variant="default" onClick={onCancel}>
            Cancel
          </Button>
          <Button type="submit" loading={make.isPending}>
            Make token
          </Button>
        </Group>
      </Stack>
    </form>
  )
}
