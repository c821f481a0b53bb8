import { Anchor, Stack, Title } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { Link, useParams } from 'react-router'

import { useApi } from '#/api/context'
import { ApiError } from '#/api/problem'
import { targetQuery } from '#/api/queries'
import type { Target } from '#/api/types'
import { EditForm } from '#/components/form/EditForm'
import { ForEditors } from '#/components/form/ForEditors'
import { FormLoading } from '#/components/form/FormLoading'
import { useKinds } from '#/components/form/useKinds'
import { paths } from '#/lib/paths'
import { EmptyState } from '#/ui/EmptyState'
import { ErrorNotice } from '#/ui/ErrorNotice'
import { usePageTitle } from '#/ui/usePageTitle'

export function EditPage() {
  const id = Number(useParams()['id'])
  const api = useApi()
  const { data: target } = useQuery({ ...targetQuery(api, id), enabled: Number.isInteger(id) })
  const name = target?.name ?? 'target'
  usePageTitle(`Edit ${name}`)
  return (
    <Stack gap="lg">
      <div>
        {target !== undefined && (
          <Anchor component={Link} to={paths.target(id)} size="sm">
            {target.name}
          </Anchor>
        )}
        <Title order={1}>Edit {name}</Title>
      </div>
      <ForEditors key={id} to="edit">
        <Edit id={id} />
      </ForEditors>
    </Stack>
  )
}

function Edit({ id }: { id: number }) {
  const target = useQuery({ ...targetQuery(useApi(), id), enabled: Number.isInteger(id) })
  const kinds = useKinds()
  if (!Number.isInteger(id)) {
    return <EmptyState title="There is no such target">Its number is no number.</EmptyState>
  }
  if (isGone(target.error) && target.data === undefined) {
    return (
      <EmptyState title="There is no such target">
        It was removed, or the address is not quite right.
      </EmptyState>
    )
  }
  const missing = [target, kinds].find(({ data, error }) => data === undefined && error !== null)
  if (missing?.error != null) {
    const retry = () => void Promise.all([target.refetch(), kinds.refetch()])
    return (
      <ErrorNotice
        error={missing.error}
        title="The target could not be read"
        onRetry={retry}
        retrying={target.isFetching || kinds.isFetching}
      />
    )
  }
  if (target.data === undefined || kinds.data === undefined) return <FormLoading />
  const kind = kinds.data.items.find(({ name }) => name === target.data.kind)
  if (kind === undefined) {
    return (
      <EmptyState title={`The kind ${target.data.kind} is not there`}>
        Its package is not installed where Mooring runs, so its settings cannot be shown.
      </EmptyState>
    )
  }
  return (
    <EditForm
      target={target.data as Target}
      kind={kind}
      common={kinds.data.common}
      gone={isGone(target.error)}
    />
  )
}

/** The page hears of a removal by events: what was read of it is read anew then, and is not there. */
const isGone = (error: Error | null): boolean => error instanceof ApiError && error.status === 404
