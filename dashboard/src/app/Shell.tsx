import { use, useEffect } from 'react'
import { Outlet } from 'react-router'

import { LiveContext } from '#/api/context'
import { Notices } from '#/components/notices/Notices'

import { Banners } from './Banners'
import { Header } from './Header'
import classes from './Shell.module.css'
import { useHeadingFocus } from './useHeadingFocus'

/** What surrounds each page. */
export function Shell() {
  const live = use(LiveContext)
  useEffect(() => {
    live?.open()
    return () => live?.close()
  }, [live])
  useHeadingFocus()
  return (
    <>
      <a className={classes.skip} href="#main">
        Skip to the content
      </a>
      <Header />
      <Banners />
      <main id="main" tabIndex={-1} className={classes.main}>
        <Outlet />
      </main>
      <Notices />
    </>
  )
}
