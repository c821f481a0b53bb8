import { Button, Menu } from '@mantine/core'
import { notifications } from '@mantine/notifications'
import { IconLogout, IconUser } from '@tabler/icons-react'
import { useMutation } from '@tanstack/react-query'

import { useApi, useSession } from '#/api/context'
import type { Role } from '#/api/types'
import { DesktopNoticesItem } from '#/components/notices/DesktopNotices'
import { useLeave } from '#/components/useLeave'

import classes from './Header.module.css'

const ROLE_WORDS: Record<Role, string> = {
  reporter: 'Reporter: may report pools',
  viewer: 'Viewer: may look',
  operator: 'Operator: may test and edit',
  admin: 'Admin: may do everything',
}

export function UserMenu() {
  const session = useSession()
  const signOut = useSignOut()
  if (session === undefined) return null
  return (
    <Menu position="bottom-end" width={260}>
      <Menu.Target>
        <Button
          variant="default"
          size="xs"
          px="xs"
          aria-label={`Signed in as ${session.name}`}
          leftSection={<IconUser size={16} aria-hidden="true" />}
          classNames={{ section: classes.userIcon, label: classes.name }}
        >
          {session.name}
        </Button>
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.Label>
          {session.name}
          <br />
          {ROLE_WORDS[session.role]}
        </Menu.Label>
        <DesktopNoticesItem />
        <Menu.Item
          leftSection={<IconLogout size={16} aria-hidden="true" />}
          onClick={() => signOut.mutate()}
        >
          Sign out
        </Menu.Item>
      </Menu.Dropdown>
    </Menu>
  )
}

function useSignOut() {
  const api = useApi()
  const leave = useLeave()
  return useMutation({
    mutationFn: () => api.client.DELETE('/api/v1/session'),
    onSuccess: leave,
    onError: (error) =>
      notifications.show({
        color: 'red',
        title: 'You are still signed in',
        message: error.message,
      }),
  })
}
