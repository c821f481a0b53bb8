import { useSearchParams } from 'react-router'

import { type Window, windowOf } from '#/lib/window'

/** How far back is looked, which stands in the address. */
export function useWindow<W extends Window>(
  offered: readonly W[],
): [W | '24h', (next: string) => void] {
  const [search, setSearch] = useSearchParams()
  const choose = (next: string) =>
    setSearch(
      (before) => {
        before.set('window', next)
        return before
      },
      { replace: true, preventScrollReset: true },
    )
  return [windowOf(search.get('window'), offered), choose]
}
