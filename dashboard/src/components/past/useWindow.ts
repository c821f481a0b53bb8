import { useSearchParams } from 'react-router'

import { type Window, windowOf } from '#/lib/window'

/** How far back is looked, which stands in the address; the usual where it does not. */
export function useWindow<W extends Window, U extends string>(
  offered: readonly W[],
  usual: U,
): [W | U, (next: string) => void] {
  const [search, setSearch] = useSearchParams()
  const choose = (next: string) =>
    setSearch(
      (before) => {
        before.set('window', next)
        return before
      },
      { replace: true, preventScrollReset: true },
    )
  return [windowOf(search.get('window'), offered, usual), choose]
}
