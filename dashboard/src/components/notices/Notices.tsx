import { Anchor, Text } from '@mantine/core'
import { notifications } from '@mantine/notifications'
import { useQuery } from '@tanstack/react-query'
import { type MouseEvent, useEffect, useEffectEvent, useMemo, useRef } from 'react'
import { useNavigate } from 'react-router'

import { apiUrl } from '#/api/client'
import { useApi, useLive } from '#/api/context'
import { overviewQuery } from '#/api/queries'
import type { OverviewRow } from '#/api/types'
import { favicon, type Signal } from '#/lib/favicon'
import { News, type Notice, titleLead } from '#/lib/notices'
import { paths } from '#/lib/paths'
import { countShown, worstOf } from '#/lib/status'
import { useTitleLead } from '#/ui/usePageTitle'

import { useDesktopNotices } from './DesktopNotices'

/** How long a toast stays, in milliseconds: a loss is read by somebody who was looking elsewhere. */
const STAYS: Record<Notice['tone'], number> = { lost: 15_000, restored: 6000 }
const COLOUR: Record<Notice['tone'], string> = { lost: 'red', restored: 'teal' }

/** Tells of what is lost and restored: by toasts, the tab's name and icon, and the desktop. */
export function Notices() {
  const rows = useQuery(overviewQuery(useApi())).data?.targets
  const heard = useLive().phase !== 'broken'
  const counts = useMemo(() => (rows === undefined ? null : countShown(rows)), [rows])
  useTitleLead(titleLead(counts, heard))
  useTabIcon(!heard ? 'unheard' : counts === null ? null : worstOf(counts))
  useNews(rows, heard)
  return null
}

function useTabIcon(signal: Signal | null): void {
  useEffect(() => {
    const link = document.querySelector<HTMLLinkElement>('link[rel=icon]')
    if (link !== null && signal !== null) link.href = favicon(signal)
  }, [signal])
}

function useNews(rows: readonly OverviewRow[] | undefined, heard: boolean): void {
  const news = useRef<News>(null)
  const toast = useToast(() => news.current?.gone())
  const desktop = useDesktopNotices()
  const tell = useEffectEvent((notice: Notice, where: 'page' | 'desktop') =>
    where === 'page' ? toast(notice) : desktop(notice),
  )
  useEffect(() => {
    const made = new News(
      (notice, where) => tell(notice, where),
      () => document.hidden,
    )
    news.current = made
    const look = () => {
      if (!document.hidden) made.seen()
    }
    document.addEventListener('visibilitychange', look)
    return () => {
      document.removeEventListener('visibilitychange', look)
      made.close()
    }
  }, [])
  useEffect(() => {
    if (!heard) news.current?.broke()
  }, [heard])
  useEffect(() => {
    if (rows !== undefined) news.current?.hear(rows)
  }, [rows])
}

/** Show a notice in the place of the one before. `onGone`: it was read, or its time is over. */
function useToast(onGone: () => void): (notice: Notice) => void {
  const navigate = useNavigate()
  const shown = useRef<string>(null)
  return (notice) => {
    const before = shown.current
    shown.current = null
    if (before !== null) notifications.hide(before)
    const id = notifications.show({
      color: COLOUR[notice.tone],
      autoClose: STAYS[notice.tone],
      title: <Headline text={notice.title} />,
      message: <Body notice={notice} go={() => go(id)} />,
      closeButtonProps: { 'aria-label': 'Dismiss' },
      onClose: () => {
        if (shown.current !== id) return
        shown.current = null
        onGone()
      },
    })
    const go = (which: string) => {
      notifications.hide(which)
      void navigate(placeOf(notice))
    }
    shown.current = id
  }
}

/** Where a notice leads: to the target, or to the list of what is down. */
function placeOf(notice: Notice): string {
  if (notice.target !== null) return paths.target(notice.target)
  return notice.tone === 'lost' ? `${paths.overview()}?status=down` : paths.overview()
}

const Headline = ({ text }: { text: string }) => (
  <Text span lineClamp={2} fw={600} size="sm" style={{ overflowWrap: 'anywhere' }}>
    {text}
  </Text>
)

interface BodyProps {
  notice: Notice
  go: () => void
}

// Toasts stand outside the router, hence no Link.
function Body({ notice, go }: BodyProps) {
  const follow = (event: MouseEvent) => {
    if (event.metaKey || event.ctrlKey || event.shiftKey) return
    event.preventDefault()
    go()
  }
  return (
    <>
      {notice.text !== '' && (
        <Text size="sm" lineClamp={3} style={{ overflowWrap: 'anywhere' }}>
          {notice.text}
        </Text>
      )}
      <Anchor size="sm" href={apiUrl(placeOf(notice))} onClick={follow}>
        {notice.target === null ? 'Show them' : 'Show the target'}
      </Anchor>
    </>
  )
}
