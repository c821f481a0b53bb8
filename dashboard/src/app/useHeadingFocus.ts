import { useEffect, useRef } from 'react'
import { useLocation } from 'react-router'

/** After each navigation within the page, bring the focus to the new page's heading. */
export function useHeadingFocus(): void {
  const { pathname } = useLocation()
  const shown = useRef(pathname)
  useEffect(() => {
    if (shown.current === pathname) return
    shown.current = pathname
    const main = document.getElementById('main')
    if (main === null) return
    const active = document.activeElement
    if (active !== main && main.contains(active)) return // the page chose a field of its own
    const heading = main.querySelector('h1') ?? main
    heading.tabIndex = -1
    heading.focus({ preventScroll: true })
    window.scrollTo(0, 0)
  }, [pathname])
}
