import { useQueryClient } from '@tanstack/react-query'
import { useNavigate } from 'react-router'

import { useApi } from '#/api/context'
import { paths } from '#/lib/paths'

/** Goes to the sign-in and forgets what was shown: for those who ended their session themselves. */
export function useLeave(): () => Promise<void> {
  const api = useApi()
  const cache = useQueryClient()
  const navigate = useNavigate()
  return async () => {
    api.enter(null)
    // First gone, then forgotten: what is still shown would be asked for anew.
    await navigate(paths.signIn())
    cache.clear()
  }
}
