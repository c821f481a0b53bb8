import { Group, Text } from '@mantine/core'
import type { ReactNode } from 'react'

import classes from './ActionBar.module.css'

interface ActionBarProps {
  /** How things stand before any of it is done; said aloud when it changes. */
  words: string
  /** The buttons. */
  children: ReactNode
}

/** What can be done with all that stands above it: in sight however long that is. */
export function ActionBar({ words, children }: ActionBarProps) {
  return (
    <Group className={classes.bar ?? ''} justify="space-between" gap="sm">
      <Text size="sm" c="dimmed" flex="1 1 14rem" aria-live="polite">
        {words}
      </Text>
      <Group gap="sm">{children}</Group>
    </Group>
  )
}
