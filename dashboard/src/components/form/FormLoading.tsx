import { Skeleton, Stack } from '@mantine/core'

export function FormLoading() {
  return (
    <Stack gap="md" aria-busy="true" aria-label="Loading the form">
      <Skeleton h={64} />
      <Skeleton h={48} />
      <Skeleton h={48} />
    </Stack>
  )
}
