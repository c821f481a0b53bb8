import { Anchor, Stack, Text, Title } from '@mantine/core'
import { Link } from 'react-router'

import { AddForm } from '#/components/form/AddForm'
import { ForEditors } from '#/components/form/ForEditors'
import { FormLoading } from '#/components/form/FormLoading'
import { useKinds } from '#/components/form/useKinds'
import { paths } from '#/lib/paths'
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
      <ForEditors to="add">
        <Add />
      </ForEditors>
    </Stack>
  )
}

function Add() {
  const kinds = useKinds()
  if (kinds.data === undefined && kinds.error !== null) {
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
