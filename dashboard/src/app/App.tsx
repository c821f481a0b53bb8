import { localStorageColorSchemeManager, MantineProvider } from '@mantine/core'
import { Notifications } from '@mantine/notifications'
import { type QueryClient, QueryClientProvider } from '@tanstack/react-query'
import type { DataRouter } from 'react-router'
import { RouterProvider } from 'react-router/dom'

import type { Api } from '#/api/client'
import { ApiContext, ClockContext, LiveContext } from '#/api/context'
import type { Live } from '#/api/live'

import { legible, theme } from './theme'

const colorSchemes = localStorageColorSchemeManager({ key: 'mooring-color-scheme' })

/** The policy of the page allows styles that carry the nonce of this answer, and no others. */
const nonce = () => document.querySelector<HTMLMetaElement>('meta[property=csp-nonce]')?.nonce ?? ''

// What keeps the page behind a dialog from scrolling asks for it by webpack's name.
Object.assign(globalThis, { __webpack_nonce__: nonce() })

interface AppProps {
  api: Api
  cache: QueryClient
  live: Live
  router: DataRouter
}

export function App({ api, cache, live, router }: AppProps) {
  return (
    <MantineProvider
      theme={theme}
      cssVariablesResolver={legible}
      defaultColorScheme="auto"
      colorSchemeManager={colorSchemes}
      getStyleNonce={nonce}
    >
      <ApiContext value={api}>
        <ClockContext value={api.clock}>
          <LiveContext value={live}>
            <QueryClientProvider client={cache}>
              <RouterProvider router={router} />
              <Notifications position="bottom-right" limit={4} />
            </QueryClientProvider>
          </LiveContext>
        </ClockContext>
      </ApiContext>
    </MantineProvider>
  )
}
