import { Group, Skeleton, Stack } from '@mantine/core'

const TILES = ['a', 'b', 'c', 'd', 'e']
const ROWS = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h']

/** The page's shape while its first answer is on its way. */
export function ListSkeleton() {
  return (
    <Stack role="status" aria-label="Loading the targets" gap="md">
      <Group gap="xs" wrap="nowrap">
        {TILES.map((key) => (
          <Skeleton key={key} height={72} maw="8rem" />
        ))}
      </Group>
      <Skeleton height={36} />
      <Stack gap="xs">
        {ROWS.map((key) => (
          <Skeleton key={key} height={48} />
        ))}
      </Stack>
    </Stack>
  )
}
