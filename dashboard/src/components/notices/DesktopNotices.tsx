import { Menu, Text } from '@mantine/core'
import { useLocalStorage } from '@mantine/hooks'
import { useState } from 'react'
import { useNavigate } from 'react-router'

import { favicon } from '#/lib/favicon'
import type { Notice } from '#/lib/notices'
import { paths } from '#/lib/paths'

const KEY = 'mooring-desktop-notices'
/** The system shows one notification of each tag, so that no burst and no second tab fills the screen. */
const TAG = 'mooring'

type Allowed = NotificationPermission | 'unsupported'

// Browsers offer notifications on https and on this machine's own addresses alone.
const allowed = (): Allowed =>
  'Notification' in window && window.isSecureContext ? Notification.permission : 'unsupported'

const WORDS: Record<Allowed, string> = {
  default: 'When something changes while this page is in the background. Your browser asks once.',
  granted: 'When something changes while this page is in the background.',
  denied: 'Your browser blocks them. Allow notifications in its settings for this site first.',
  unsupported: 'Your browser offers them only over https or on this machine itself.',
}

const useWanted = () => useLocalStorage({ key: KEY, defaultValue: false })

/** Show notices on the desktop, where the reader has asked for it and the browser allows it. */
export function useDesktopNotices(): (notice: Notice) => void {
  const [wanted] = useWanted()
  const navigate = useNavigate()
  return (notice) => {
    if (!wanted || allowed() !== 'granted') return
    const icon = favicon(notice.tone === 'lost' ? 'down' : 'up')
    try {
      const made = new Notification(notice.title, { body: notice.text, tag: TAG, icon })
      made.addEventListener('click', () => {
        window.focus()
        void navigate(notice.target === null ? paths.overview() : paths.target(notice.target))
        made.close()
      })
    } catch {
      // Chrome on Android has the constructor and refuses it. The toast is shown when they look.
    }
  }
}

/** Switches notifications on the desktop on and off; an item of a menu. */
export function DesktopNoticesItem() {
  const [wanted, setWanted] = useWanted()
  const [permission, setPermission] = useState(allowed)
  const on = wanted && permission === 'granted'
  const toggle = async () => {
    if (permission === 'denied' || permission === 'unsupported') return
    const given = permission === 'default' ? await Notification.requestPermission() : permission
    setPermission(given)
    setWanted(!on && given === 'granted')
  }
  return (
    <Menu.CheckboxItem checked={on} onChange={() => void toggle()}>
      Desktop notifications
      <Text size="xs" c="dimmed" maw="14rem">
        {WORDS[permission]}
      </Text>
    </Menu.CheckboxItem>
  )
}
