/** Every path of the page, below the base path. */
export const paths = {
  overview: () => '/',
  target: (id: number) => `/targets/${id}`,
  editTarget: (id: number) => `/targets/${id}/edit`,
  add: () => '/add',
  import: () => '/import',
  tokens: () => '/tokens',
  signIn: () => '/sign-in',
} as const
