import { useSearchParams } from 'react-router'

import type { PoolWindow } from './queries'

export const WINDOW_WORD: Record<PoolWindow, string> = {
  '1h': '1 hour',
  '24h': '24 hours',
  '7d': '7 days',
}

const DEFAULT: PoolWindow = '24h'

const isWindow = (word: string | null): word is PoolWindow =>
  word !== null && Object.hasOwn(WINDOW_WORD, word)

/** How far back is looked, which stands in the address. */
export function usePoolWindow(): [PoolWindow, (next: string) => void] {
  const [search, setSearch] = useSearchParams()
  const word = search.get('window')
  const choose = (next: string) =>
    setSearch(
      (before) => {
        before.set('window', next)
        return before
      },
      { replace: true, preventScrollReset: true },
    )
  return [isWindow(word) ? word : DEFAULT, choose]
}
