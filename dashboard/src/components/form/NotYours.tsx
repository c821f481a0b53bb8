import { IconLock } from '@tabler/icons-react'

import { useSession } from '#/api/context'
import { EmptyState } from '#/ui/EmptyState'

const DOING = { add: 'Adding', edit: 'Editing' } as const

/** Said to who may look and no more, in place of a form. */
export function NotYours({ to }: { to: keyof typeof DOING }) {
  const role = useSession()?.role ?? 'viewer'
  return (
    <EmptyState
      title={`${DOING[to]} targets is not yours to do`}
      icon={<IconLock size={32} aria-hidden="true" />}
    >
      You are signed in as {role}: you may look. An operator or an admin may {to} targets.
    </EmptyState>
  )
}
