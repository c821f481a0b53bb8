import { Button, Skeleton } from '@mantine/core'
import type { InfiniteData, UseInfiniteQueryResult } from '@tanstack/react-query'
import type { ReactNode } from 'react'

import { ErrorNotice } from '#/ui/ErrorNotice'

interface PagedListProps<T> {
  query: UseInfiniteQueryResult<InfiniteData<{ readonly items: readonly T[] }>>
  /** What the list holds, as in "Loading the changes". */
  what: string
  /** What is shown more of, where that is another word. */
  more?: string
  height: number
  /** Shown where there is none. */
  empty: ReactNode
  /** Draws all that was read so far, at least one. */
  children: (items: readonly T[]) => ReactNode
}

/** A list that is read a page at a time: loading, empty, failed, and what follows at the press of a button. */
export function PagedList<T>({ query, what, more, height, empty, children }: PagedListProps<T>) {
  const items = query.data?.pages.flatMap((page) => page.items)
  return (
    <>
      {items === undefined && query.error === null && (
        <Skeleton height={height} aria-label={`Loading the ${what}`} />
      )}
      {items?.length === 0 && empty}
      {items !== undefined && items.length > 0 && children(items)}
      {query.error !== null && (
        <ErrorNotice
          error={query.error}
          title={`The ${what} could not be read`}
          onRetry={() => void query.refetch()}
          retrying={query.isFetching}
        />
      )}
      {query.hasNextPage && (
        <Button
          mt="xs"
          px={0}
          size="compact-sm"
          variant="transparent"
          loading={query.isFetchingNextPage}
          onClick={() => void query.fetchNextPage()}
        >
          Show more {more ?? what}
        </Button>
      )}
    </>
  )
}
