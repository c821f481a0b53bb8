import './styles'

import { StrictMode } from 'react'
import { createRoot } from 'react-dom/client'

import { Api } from '#/api/client'
import { Live } from '#/api/live'

import { App } from './App'
import { makeCache } from './cache'
import { fetchAhead, makeRouter } from './routes'

const api = new Api()
const cache = makeCache(api)
const live = new Live(api, cache)
const router = makeRouter(new URL(document.baseURI).pathname)

// Safari has no idle callback.
const whenIdle = window.requestIdleCallback ?? ((then: () => void) => setTimeout(then, 2000))
window.addEventListener('load', () => whenIdle(() => void fetchAhead()), { once: true })

const root = document.getElementById('root')
if (root === null) throw new Error('index.html lacks #root')
createRoot(root).render(
  <StrictMode>
    <App api={api} cache={cache} live={live} router={router} />
  </StrictMode>,
)
