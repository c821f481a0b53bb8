import { Button, Group, Text } from '@mantine/core'

import { count, plural } from '#/lib/format'

import { EmptyState } from './EmptyState'

interface FoundProps {
  /** What is listed, as in "pool". */
  what: string
  found: number
  all: number
  filtered: boolean
  onClear: () => void
}

/** How much the filters of a list leave, said aloud too. */
export function Found({ what, found, all, filtered, onClear }: FoundProps) {
  const clear = (
    <Button variant="default" size="compact-sm" onClick={onClear}>
      Clear filters
    </Button>
  )
  return (
    <>
      <span role="status" className="visually-hidden">
        {filtered ? `${count(found)} of ${plural(all, what)} match` : ''}
      </span>
      {filtered && found > 0 && (
        <Group gap="xs">
          <Text size="sm" c="dimmed">
            {count(found)} of {plural(all, what)}
          </Text>
          {clear}
        </Group>
      )}
      {filtered && found === 0 && (
        <EmptyState title={`No ${what} matches`} actions={clear}>
          None of {plural(all, what)} has all that the filters ask for.
        </EmptyState>
      )}
    </>
  )
}
