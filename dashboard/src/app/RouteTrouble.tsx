import { Container } from '@mantine/core'
import { useEffect, useRef, useState } from 'react'
import { useRouteError } from 'react-router'

import { apiUrl } from '#/api/client'
import { useLive } from '#/api/context'
import { ErrorNotice } from '#/ui/ErrorNotice'

// What the browsers say, and Vite, where a page's own code or its styles did not come.
const NOT_LOADED = /dynamically imported module|module script failed|preload CSS/i
const LOADING = 'It could not be loaded: Mooring did not answer, or was updated meanwhile.'

/** What stands where a page failed. */
export function RouteTrouble() {
  const thrown = useRouteError()
  const [trying, setTrying] = useState(false)
  const error = thrown instanceof Error ? thrown : new Error(String(thrown))
  const missing = NOT_LOADED.test(error.message)
  useReloadOnReturn(missing)
  // A reload that fails would leave the browser's own page, which never comes back by itself.
  const retry = async () => {
    setTrying(true)
    await fetch(apiUrl('livez')).then(
      () => window.location.reload(),
      () => setTrying(false),
    )
  }
  return (
    <Container size="sm" py="xl">
      <ErrorNotice
        title="This page could not be shown"
        error={missing ? new Error(LOADING) : error}
        onRetry={() => void retry()}
        retrying={trying}
      />
    </Container>
  )
}

/** Once only, after a break: a page that is not there although the server is would be reloaded for ever. */
function useReloadOnReturn(wanted: boolean): void {
  const { phase } = useLive()
  const broke = useRef(false)
  useEffect(() => {
    if (phase === 'broken') broke.current = true
    if (phase === 'live' && broke.current && wanted) window.location.reload()
  }, [phase, wanted])
}
