import { Anchor, Skeleton, Stack, Text, Title } from '@mantine/core'
import { IconLock } from '@tabler/icons-react'
import { Link } from 'react-router'

import { useMay, useSession } from '#/api/context'
import { AddForm } from '#/components/form/AddForm'
import { useKinds } from '#/components/form/useKinds'
import { paths } from '#/lib/paths'
import { EmptyState } from '#/ui/EmptyState'
import { ErrorNotice } from '#/ui/ErrorNotice'
import { usePageTitle } from '#/ui/usePageTitle'

export function AddPage() {
  usePageTitle('Add a target')
  return (
    <Stack gap="lg">
      <div>
        <Title order={1}>Add a target</Title>
        <Text c="dimmed" size="sm" mt={4}>
          One address here; for an environment file, a Compose file or a list there is{' '}
          <Anchor component={Link} to={paths.import()} inherit>
            Import
          </Anchor>
          .
        </Text>
      </div>
      <Add />
    </Stack>
  )
}

function Add() {
  const may = useMay()
  const session = useSession()
  const kinds = useKinds()
  if (!may.edit) {
    return (
      <EmptyState
        title="Adding targets is not yours to do"
        icon={<IconLock size={32} aria-hidden="true" />}
      >
        You are signed in as {session?.role ?? 'viewer'}: you may look. An operator or an admin may
        add targets.
      </EmptyState>
    )
  }
  if (kinds.error !== null) {
    return (
      <ErrorNotice
        error={kinds.error}
        title="The kinds could not be read"
        onRetry={() => void kinds.refetch()}
        retrying={kinds.isFetching}
      />
    )
  }
  if (kinds.data === undefined) return <FormLoading />
  return <AddForm kinds={kinds.data.items} common={kinds.data.common} />
}

function FormLoading() {
  return (
    <Stack gap="md" aria-busy="true" aria-label="Loading the form">
      <Skeleton h={64} />
      <Skeleton h={48} />
    </Stack>
  )
}
