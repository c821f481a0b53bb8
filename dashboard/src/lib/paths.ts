/** Every path of the page, below the base path. */
export const paths = {
  overview: () => '/',
  target: (id: number) => `/targets/${id}`,
  editTarget: (id: number) => `/targets/${id}/edit`,
  /** Those of one service, or all. */
  pools: (service = '') =>
    service === '' ? '/pools' : `/pools?${new URLSearchParams({ service }).toString()}`,
  pool: (id: number) => `/pools/${id}`,
  add: () => '/add',
  import: () => '/import',
  tokens: () => '/tokens',
  /** `to`: where to go back to. */
  signIn: (to = '/') => (to === '/' ? '/sign-in' : `/sign-in?to=${encodeURIComponent(to)}`),
} as const
