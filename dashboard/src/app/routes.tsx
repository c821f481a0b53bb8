import { createBrowserRouter, type RouteObject } from 'react-router'

import { NotFoundPage } from '#/pages/notFound'

import { RouteTrouble } from './RouteTrouble'
import { Shell } from './Shell'
import { SignedIn } from './SignedIn'

/** Each page comes when it is first gone to. */
const pages: RouteObject[] = [
  {
    index: true,
    lazy: async () => ({ Component: (await import('#/pages/overview')).OverviewPage }),
  },
  {
    path: 'targets/:id',
    lazy: async () => ({ Component: (await import('#/pages/target')).TargetPage }),
  },
  {
    path: 'targets/:id/edit',
    lazy: async () => ({ Component: (await import('#/pages/edit')).EditPage }),
  },
  { path: 'add', lazy: async () => ({ Component: (await import('#/pages/add')).AddPage }) },
  {
    path: 'import',
    lazy: async () => ({ Component: (await import('#/pages/import')).ImportPage }),
  },
  {
    path: 'tokens',
    lazy: async () => ({ Component: (await import('#/pages/tokens')).TokensPage }),
  },
  { path: '*', Component: NotFoundPage },
]

export const routes: RouteObject[] = [
  {
    path: 'sign-in',
    ErrorBoundary: RouteTrouble,
    HydrateFallback: () => null,
    lazy: async () => ({ Component: (await import('#/pages/signIn')).SignInPage }),
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
