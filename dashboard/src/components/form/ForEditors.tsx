import { Alert, Button, Text } from '@mantine/core'
import { IconLock } from '@tabler/icons-react'
import { useMutation, useQueryClient } from '@tanstack/react-query'
import { type ReactNode, useState } from 'react'

import { useApi, useMay, useSession } from '#/api/context'
import { keys } from '#/api/queries'

import { NotYours } from './NotYours'

interface ForEditorsProps {
  to: 'add' | 'edit'
  children: ReactNode
}

/**
 * A form for those who may edit; others are told that they may not, in its place. Once it was open it
 * stays, with what was typed: also where somebody who may only look signs in over it.
 */
export function ForEditors({ to, children }: ForEditorsProps) {
  const may = useMay()
  const [opened, setOpened] = useState(may.edit)
  if (may.edit && !opened) setOpened(true)
  if (!opened && !may.edit) return <NotYours to={to} />
  return (
    <>
      {!may.edit && <NotToBeSaved />}
      {children}
    </>
  )
}

function NotToBeSaved() {
  const api = useApi()
  const cache = useQueryClient()
  const role = useSession()?.role ?? 'viewer'
  // To end the session is to be asked to sign in, over the form.
  const end = useMutation({
    mutationFn: () => api.client.DELETE('/api/v1/session'),
    onSuccess: () => cache.invalidateQueries({ queryKey: keys.session }),
  })
  return (
    <Alert color="gray" icon={<IconLock aria-hidden="true" />} title="This session may not save it">
      <Text size="sm">
        You are signed in as {role}: you may look. What was typed here is kept for an operator or an
        admin to save.
      </Text>
      <Button
        mt="sm"
        size="xs"
        variant="default"
        loading={end.isPending}
        onClick={() => end.mutate()}
      >
        Sign in as somebody else
      </Button>
    </Alert>
  )
}
