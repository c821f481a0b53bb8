import { SegmentedControl, Skeleton } from '@mantine/core'
import type { UseQueryResult } from '@tanstack/react-query'
import type { ReactNode } from 'react'

import { Section } from '#/components/target/Section'
import { type Window, WINDOW_WORD } from '#/lib/window'
import { ErrorNotice } from '#/ui/ErrorNotice'

import classes from './PastSection.module.css'

interface PastSectionProps<T> {
  title: string
  query: UseQueryResult<T>
  /** Those that can be chosen, and the one that is; null while that is not known. */
  offered: readonly Window[]
  window: Window | null
  onWindow: (next: string) => void
  /** Pixels that it will have, as far as that is known. */
  height: number
  children: (past: T) => ReactNode
}

/** A part of the page that shows the past over a window: what is read, or why it is not there. */
export function PastSection<T>(props: PastSectionProps<T>) {
  const { title, query, offered, window, onWindow, height, children } = props
  return (
    <Section
      title={title}
      aside={
        <SegmentedControl
          aria-label="Time window"
          size="xs"
          value={window ?? ''}
          onChange={onWindow}
          data={offered.map((value) => ({ value, label: WINDOW_WORD[value] }))}
        />
      }
    >
      {query.data !== undefined && (
        <div className={query.isPlaceholderData ? classes.stale : undefined}>
          {children(query.data)}
        </div>
      )}
      {query.data === undefined && query.error === null && (
        <Skeleton height={height} aria-label="Loading the past" />
      )}
      {query.error !== null && (
        <ErrorNotice
          error={query.error}
          title="The past could not be read"
          onRetry={() => void query.refetch()}
          retrying={query.isFetching}
        />
      )}
    </Section>
  )
}
