import { IconAlertTriangle, IconPlugConnectedX } from '@tabler/icons-react'
import { useQuery } from '@tanstack/react-query'
import { type ReactNode } from 'react'

import { useApi, useAtNow, useLive } from '#/api/context'
import { overviewQuery } from '#/api/queries'
import { clockTime, dayAndTime } from '#/lib/time'
import { trouble } from '#/lib/trouble'
import { Folded } from '#/ui/Folded'

import classes from './Banners.module.css'

const DAY = 86_400_000

/** What a reader has to know before believing the page. The region is always there, so it is read out. */
export function Banners() {
  return (
    <div role="status">
      <Disconnected />
      <Trouble />
    </div>
  )
}

function Disconnected() {
  const { since } = useLive()
  const known = useQuery({ ...overviewQuery(useApi()), select: () => true }).data ?? false
  const long = useAtNow((now) => since !== null && now - since > DAY)
  if (since === null) return null
  const at = long ? dayAndTime(since) : clockTime(since)
  return (
    <Banner icon={<IconPlugConnectedX size={18} />}>
      Not connected to Mooring since {at}.{' '}
      {known ? 'Nothing newer than that is known.' : 'How the targets stand could not be read yet.'}
    </Banner>
  )
}

function Trouble() {
  const live = useLive().phase === 'live'
  const monitoring = useQuery(overviewQuery(useApi())).data?.monitoring
  const words = useAtNow((now) => (live && monitoring ? trouble(monitoring, now) : null))
  if (words === null) return null
  return (
    <Banner icon={<IconAlertTriangle size={18} />}>
      <Folded text={words} lines={2} />
    </Banner>
  )
}

function Banner({ icon, children }: { icon: ReactNode; children: ReactNode }) {
  return (
    <div className={classes.banner}>
      <div className={classes.inner}>
        <span className={classes.icon} aria-hidden="true">
          {icon}
        </span>
        <div>{children}</div>
      </div>
    </div>
  )
}
