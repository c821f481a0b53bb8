import { useQueryClient } from '@tanstack/react-query'

import { useTransitions } from '#/api/context'
import { keys } from '#/api/queries'

/** Read what is shown of pools anew when the event stream tells that one of them has changed. */
export function usePoolNews(shows: (id: number) => boolean): void {
  const cache = useQueryClient()
  useTransitions((transitions) => {
    if (!transitions.some(({ target_id: id }) => id !== null && shows(id))) return
    void cache.invalidateQueries({ queryKey: keys.pools })
  })
}
