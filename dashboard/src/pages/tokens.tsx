import { Group, Skeleton, Stack, Text, Title } from '@mantine/core'
import { IconLock } from '@tabler/icons-react'
import { useQuery } from '@tanstack/react-query'

import { useApi, useMay, useSession } from '#/api/context'
import { tokensQuery } from '#/api/queries'
import { NewTokenButton } from '#/components/tokens/NewTokenButton'
import { TokenTable } from '#/components/tokens/TokenTable'
import { EmptyState } from '#/ui/EmptyState'
import { ErrorNotice } from '#/ui/ErrorNotice'
import { usePageTitle } from '#/ui/usePageTitle'

export function TokensPage() {
  usePageTitle('Tokens')
  const may = useMay()
  return (
    <Stack gap="md">
      <Group justify="space-between">
        <Title order={1}>Tokens</Title>
        {may.administer && <NewTokenButton />}
      </Group>
      {may.administer ? <Tokens /> : <NotForYou />}
    </Stack>
  )
}

function Tokens() {
  const { data, error, isFetching, refetch } = useQuery(tokensQuery(useApi()))
  return (
    <>
      <Text c="dimmed" size="sm">
        People sign in with a token, programs send it with each request. Revoking one ends at once
        every session that was opened by it.
      </Text>
      {data !== undefined && <TokenTable tokens={data} />}
      {data === undefined && error !== null && (
        <ErrorNotice
          title="The tokens could not be read"
          error={error}
          onRetry={() => void refetch()}
          retrying={isFetching}
        />
      )}
      {data === undefined && error === null && <Skeleton height={160} aria-label="Loading" />}
    </>
  )
}

function NotForYou() {
  const role = useSession()?.role ?? 'viewer'
  return (
    <EmptyState title="Tokens are for admins" icon={<IconLock aria-hidden="true" />}>
      You are signed in as {role}. Ask an admin of this server for a token, or to make you one.
    </EmptyState>
  )
}
