import { Group, Paper, Title } from '@mantine/core'
import { type ReactNode, useId } from 'react'

import classes from './Section.module.css'

interface SectionProps {
  title: string
  /** What stands at the right of the title. */
  aside?: ReactNode
  children: ReactNode
}

/** One part of the page, under a heading of its own. */
export function Section({ title, aside, children }: SectionProps) {
  const id = useId()
  return (
    <Paper component="section" withBorder p="md" aria-labelledby={id}>
      <Group justify="space-between" gap="xs">
        <Title order={2} id={id} className={classes.title ?? ''}>
          {title}
        </Title>
        {aside}
      </Group>
      <div className={classes.body}>{children}</div>
    </Paper>
  )
}
