import { Stack, Text, Title } from '@mantine/core'
import type { ReactNode } from 'react'

interface EmptyStateProps {
  title: string
  icon?: ReactNode
  /** Why it is empty. */
  children?: ReactNode
  /** What to do about it. */
  actions?: ReactNode
}

/** Said where there is nothing to show, with what to do next. */
export function EmptyState({ title, icon, children, actions }: EmptyStateProps) {
  return (
    <Stack align="center" gap="sm" py="xl" px="md" ta="center">
      {icon}
      <Title order={2} size="h4">
        {title}
      </Title>
      {children !== undefined && (
        <Text c="dimmed" maw="34rem" component="div">
          {children}
        </Text>
      )}
      {actions}
    </Stack>
  )
}
