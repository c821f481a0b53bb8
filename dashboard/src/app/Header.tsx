import { Group } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { Link } from 'react-router'

import { useApi, useLive } from '#/api/context'
import { overviewQuery } from '#/api/queries'
import { TestAllButton } from '#/components/testAll/TestAllButton'
import { paths } from '#/lib/paths'
import { Mark } from '#/ui/Mark'
import { StatusBadge } from '#/ui/StatusBadge'

import { ColorSchemeMenu } from './ColorSchemeMenu'
import classes from './Header.module.css'
import { NarrowNavigation, WideNavigation } from './Navigation'
import { UserMenu } from './UserMenu'

export function Header() {
  return (
    <header className={classes.header}>
      <div className={classes.inner}>
        <Link to={paths.overview()} className={classes.brand}>
          <Mark />
          <span>Mooring</span>
        </Link>
        <Standing />
        <WideNavigation />
        <Group className={classes.actions ?? ''} gap="xs" wrap="nowrap">
          <TestAllButton />
          <ColorSchemeMenu />
          <UserMenu />
          <NarrowNavigation />
        </Group>
      </div>
    </header>
  )
}

/** How everything stands, in a word, on each page. */
function Standing() {
  const stale = useLive().phase === 'broken'
  const { data } = useQuery(overviewQuery(useApi()))
  if (data === undefined || data.targets.every(({ enabled }) => !enabled)) return null
  return (
    <span className={classes.standing}>
      <span className="visually-hidden">
        {stale ? 'Last known status of all:' : 'Status of all:'}
      </span>
      <StatusBadge status={data.status} stale={stale} />
    </span>
  )
}
