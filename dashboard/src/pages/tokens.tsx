import { Title } from '@mantine/core'

import { usePageTitle } from '#/ui/usePageTitle'

export function TokensPage() {
  usePageTitle('Tokens')
  return <Title order={1}>Tokens</Title>
}
