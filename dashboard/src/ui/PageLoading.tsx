import { Skeleton, Stack } from '@mantine/core'

interface PageLoadingProps {
  what: string
  /** Pixels of its parts. */
  heights: readonly number[]
}

/** The shape of a page whose content is on its way. */
export const PageLoading = ({ what, heights }: PageLoadingProps) => (
  <Stack gap="md" role="status" aria-label={`Loading the ${what}`}>
    {heights.map((height) => (
      <Skeleton key={height} height={height} />
    ))}
  </Stack>
)
