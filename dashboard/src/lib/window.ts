/** How far back is looked. */
export type Window = '1h' | '24h' | '7d' | '30d'

/** Pools are not kept for longer than a week. */
export type PoolWindow = Exclude<Window, '30d'>

export const WINDOW_WORD: Record<Window, string> = {
  '1h': '1 hour',
  '24h': '24 hours',
  '7d': '7 days',
  '30d': '30 days',
}

/** As it stands in a sentence. */
export const OVER: Record<Window, string> = {
  '1h': 'in the last hour',
  '24h': 'in the last 24 hours',
  '7d': 'in the last 7 days',
  '30d': 'in the last 30 days',
}

export const WINDOWS = ['1h', '24h', '7d', '30d'] as const satisfies readonly Window[]
export const POOL_WINDOWS = ['1h', '24h', '7d'] as const satisfies readonly PoolWindow[]

/** An hour if that holds the past, else a day: the server says which one it is. */
export const FIT = 'fit'

/** The window that an address names; the usual one where it names none of those that there are. */
export const windowOf = <W extends Window, U extends string>(
  word: string | null,
  offered: readonly W[],
  usual: U,
): W | U => offered.find((each) => each === word) ?? usual
