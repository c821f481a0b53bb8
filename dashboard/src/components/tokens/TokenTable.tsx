import { Badge, Table, Text } from '@mantine/core'

import { useSession } from '#/api/context'
import type { Role, Token } from '#/api/types'
import { Since } from '#/ui/Since'

import { RevokeButton } from './RevokeButton'

const ROLE_COLOUR: Record<Role, string> = {
  reporter: 'teal',
  viewer: 'gray',
  operator: 'blue',
  admin: 'grape',
}

interface TokenTableProps {
  tokens: readonly Token[]
}

export function TokenTable({ tokens }: TokenTableProps) {
  return (
    <Table verticalSpacing="sm">
      <Table.Thead>
        <Table.Tr>
          <Table.Th>Name</Table.Th>
          <Table.Th>Role</Table.Th>
          <Table.Th visibleFrom="sm">Made</Table.Th>
          <Table.Th visibleFrom="sm">Last used</Table.Th>
          <Table.Th>
            <span className="visually-hidden">Actions</span>
          </Table.Th>
        </Table.Tr>
      </Table.Thead>
      <Table.Tbody>
        {tokens.map((token) => (
          <TokenRow key={token.id} token={token} />
        ))}
      </Table.Tbody>
    </Table>
  )
}

function TokenRow({ token }: { token: Token }) {
  const own = useSession()?.token_id === token.id
  return (
    <Table.Tr>
      <Table.Td style={{ overflowWrap: 'anywhere' }}>
        <Text fw={600} size="sm">
          {token.name}
        </Text>
        {own && (
          <Text size="xs" c="dimmed">
            You are signed in with it
          </Text>
        )}
        <Text hiddenFrom="sm" size="xs" c="dimmed">
          made <Since at={token.created_at} />, used <Since at={token.last_used_at} />
        </Text>
      </Table.Td>
      <Table.Td>
        <Badge color={ROLE_COLOUR[token.role]} variant="light" tt="none" miw="max-content">
          {token.role}
        </Badge>
      </Table.Td>
      <Table.Td visibleFrom="sm">
        <Since at={token.created_at} />
      </Table.Td>
      <Table.Td visibleFrom="sm">
        <Since at={token.last_used_at} />
      </Table.Td>
      <Table.Td ta="right">
        <RevokeButton token={token} />
      </Table.Td>
    </Table.Tr>
  )
}
