import { Title } from '@mantine/core'

import { usePageTitle } from '#/ui/usePageTitle'

export function AddPage() {
  usePageTitle('Add a target')
  return <Title order={1}>Add a target</Title>
}
