import { Anchor, Badge, Group, Loader, Title } from '@mantine/core'
import { IconArrowLeft } from '@tabler/icons-react'
import type { ReactNode } from 'react'
import { Link } from 'react-router'

import { useAtNow, useLive } from '#/api/context'
import type { Kind, Target } from '#/api/types'
import { elsewhere } from '#/lib/origin'
import { paths } from '#/lib/paths'
import { shownStatus } from '#/lib/status'
import { duration } from '#/lib/time'
import { CopyButton } from '#/ui/CopyButton'
import { Held } from '#/ui/Held'
import { Parts } from '#/ui/Parts'
import { Since } from '#/ui/Since'
import { StatusBadge } from '#/ui/StatusBadge'

import classes from './TargetHeader.module.css'

interface TargetHeaderProps {
  target: Target
  kind: Kind | undefined
  actions: ReactNode
}

/** Which target it is, where it stands, and what can be done with it. */
export function TargetHeader({ target, kind, actions }: TargetHeaderProps) {
  return (
    <header>
      <Anchor component={Link} to={paths.overview()} size="sm" c="dimmed">
        <Group gap={4} component="span" mb="xs">
          <IconArrowLeft size={14} aria-hidden="true" /> All targets
        </Group>
      </Anchor>
      <div className={classes.head}>
        <div className={classes.title}>
          <Title order={1} className={classes.name} title={target.name}>
            <bdi>{target.name}</bdi>
          </Title>
          <Standing target={target} />
          <Times target={target} passive={kind?.passive ?? false} />
          <About target={target} />
        </div>
        {actions}
      </div>
    </header>
  )
}

function Standing({ target }: { target: Target }) {
  const { phase } = useLive()
  const { health, enabled } = target
  const stale = phase === 'broken'
  return (
    <div className={classes.line}>
      <StatusBadge
        status={shownStatus({ enabled, status: health.status })}
        size="lg"
        stale={stale}
      />
      {enabled && health.since !== null && <Held since={health.since} />}
      {stale && (
        <Badge color="gray" tt="none">
          last known
        </Badge>
      )}
      {enabled && health.confirming !== null && (
        <Badge color="orange" variant="light" tt="none">
          confirming {health.confirming[0]} of {health.confirming[1]}
        </Badge>
      )}
      {enabled && health.checking && (
        <Group gap={4} component="span">
          <Loader size={12} aria-hidden="true" /> checking
        </Group>
      )}
    </div>
  )
}

function Times({ target, passive }: { target: Target; passive: boolean }) {
  const { health, enabled, interval } = target
  const every = duration(interval)
  const last = health.last?.started_at ?? null
  return (
    <div className={classes.line}>
      <Parts>
        <Last at={last} passive={passive} />
        {!enabled && <span>not tested until it is resumed</span>}
        {enabled && passive && <span>expected every {every}</span>}
        {enabled && !passive && (
          <NextCheck at={health.next_check_at} every={every} calm={health.calm} />
        )}
      </Parts>
    </div>
  )
}

function Last({ at, passive }: { at: string | null; passive: boolean }) {
  if (at === null) return <span>{passive ? 'No report yet' : 'Never checked yet'}</span>
  return (
    <span>
      {passive ? 'Reported' : 'Checked'} <Since at={at} />
    </span>
  )
}

/**
 * A check that is due may wait a moment for its turn: it is never told as past. Whether there will be one
 * is not known where the server is not heard.
 */
function NextCheck({ at, every, calm }: { at: string | null; every: string; calm: boolean }) {
  const { phase } = useLive()
  const due = useAtNow((now) => at !== null && Date.parse(at) - now < 1500)
  const how = calm ? 'once an hour while the login is rejected' : `every ${every}`
  if (at === null || phase === 'broken') return <span>{how}</span>
  return (
    <span>
      next {due ? <time dateTime={at}>now</time> : <Since at={at} />}, {how}
    </span>
  )
}

function About({ target }: { target: Target }) {
  const where = elsewhere(target)
  return (
    <div className={classes.line}>
      <Parts>
        <span>{target.kind}</span>
        {target.address !== '' && (
          <span className={classes.where}>
            <span className={classes.address}>{target.address}</span>
            <CopyButton value={target.address} what="the address" />
          </span>
        )}
      </Parts>
      {Object.entries(target.labels).map(([key, value]) => (
        <Badge key={key} variant="default" tt="none" fw={500} maw="100%">
          {key}: {value}
        </Badge>
      ))}
      {where !== null && (
        <Badge variant="light" color="gray" tt="none" fw={500}>
          {where}
        </Badge>
      )}
    </div>
  )
}
