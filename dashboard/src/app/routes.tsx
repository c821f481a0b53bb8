import { createBrowserRouter, type RouteObject } from 'react-router'

import { NotFoundPage } from '#/pages/notFound'

import { RouteTrouble } from './RouteTrouble'
import { Shell } from './Shell'
import { SignedIn } from './SignedIn'

/** The pages, each in a file of its own. */
const load = {
  overview: () => import('#/pages/overview'),
  target: () => import('#/pages/target'),
  add: () => import('#/pages/add'),
  edit: () => import('#/pages/edit'),
  importing: () => import('#/pages/import'),
  pools: () => import('#/pages/pools'),
  pool: () => import('#/pages/pool'),
  tokens: () => import('#/pages/tokens'),
  signIn: () => import('#/pages/signIn'),
}

/**
 * Fetch a target's page before anybody goes to one: what is opened when the server is gone is there then.
 * Not all pages: a first load is small.
 */
export async function fetchAhead(): Promise<void> {
  // Whatever does not come now is asked for again when it is gone to.
  await Promise.allSettled([load.overview(), load.target()])
}

/** Each page is drawn from its own file, which comes when it is first gone to, if not ahead. */
const pages: RouteObject[] = [
  { index: true, lazy: async () => ({ Component: (await load.overview()).OverviewPage }) },
  { path: 'targets/:id', lazy: async () => ({ Component: (await load.target()).TargetPage }) },
  { path: 'targets/:id/edit', lazy: async () => ({ Component: (await load.edit()).EditPage }) },
  { path: 'add', lazy: async () => ({ Component: (await load.add()).AddPage }) },
  { path: 'import', lazy: async () => ({ Component: (await load.importing()).ImportPage }) },
  { path: 'pools', lazy: async () => ({ Component: (await load.pools()).PoolsPage }) },
  { path: 'pools/:id', lazy: async () => ({ Component: (await load.pool()).PoolPage }) },
  { path: 'tokens', lazy: async () => ({ Component: (await load.tokens()).TokensPage }) },
  { path: '*', Component: NotFoundPage },
]

export const routes: RouteObject[] = [
  {
    path: 'sign-in',
    ErrorBoundary: RouteTrouble,
    HydrateFallback: () => null,
    lazy: async () => ({ Component: (await load.signIn()).SignInPage }),
  },
  {
    Component: SignedIn,
    ErrorBoundary: RouteTrouble,
    HydrateFallback: () => null,
    children: [{ Component: Shell, children: [{ ErrorBoundary: RouteTrouble, children: pages }] }],
  },
]

/** `base`: the base path, with or without a slash at its end. */
export const makeRouter = (base: string) =>
  createBrowserRouter(routes, { basename: base.replace(/\/$/, '') || '/' })
