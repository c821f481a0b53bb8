import { ActionIcon, Menu } from '@mantine/core'
import { IconMenu2 } from '@tabler/icons-react'
import { NavLink, useLocation } from 'react-router'

import { type May, useMay } from '#/api/context'
import { paths } from '#/lib/paths'

import classes from './Header.module.css'

const LINKS: readonly { to: string; word: string; need?: keyof May }[] = [
  { to: paths.overview(), word: 'Overview' },
  { to: paths.pools(), word: 'Pools' },
  { to: paths.add(), word: 'Add', need: 'edit' },
  { to: paths.import(), word: 'Import', need: 'edit' },
  { to: paths.tokens(), word: 'Tokens', need: 'administer' },
]

/** What the signed-in role can go to. */
function useLinks() {
  const may = useMay()
  return LINKS.filter(({ need }) => need === undefined || may[need])
}

export function WideNavigation() {
  return (
    <nav aria-label="Pages" className={classes.wide}>
      {useLinks().map(({ to, word }) => (
        <NavLink key={to} to={to} end={to === paths.overview()} className={classes.link}>
          {word}
        </NavLink>
      ))}
    </nav>
  )
}

export function NarrowNavigation() {
  const links = useLinks()
  const { pathname } = useLocation()
  if (links.length < 2) return null
  return (
    <nav aria-label="Pages" className={classes.narrow}>
      <Menu position="bottom-end" width={180}>
        <Menu.Target>
          <ActionIcon variant="default" size={30} aria-label="Pages">
            <IconMenu2 size={16} aria-hidden="true" />
          </ActionIcon>
        </Menu.Target>
        <Menu.Dropdown>
          {links.map(({ to, word }) => (
            <Menu.Item key={to} component={NavLink} to={to} fw={pathname === to ? 600 : undefined}>
              {word}
            </Menu.Item>
          ))}
        </Menu.Dropdown>
      </Menu>
    </nav>
  )
}
