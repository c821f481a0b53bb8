/**
 * Keeps browsers and password managers from filling in, offering to save, correcting or translating what
 * is typed: addresses and secrets of servers are no logins of the person at the keyboard.
 */
export const QUIET = {
  autoComplete: 'off',
  autoCorrect: 'off',
  autoCapitalize: 'off',
  spellCheck: false,
  'data-1p-ignore': true,
  'data-lpignore': 'true',
  'data-bwignore': true,
  'data-form-type': 'other',
} as const
