import { Title } from '@mantine/core'

import { usePageTitle } from '#/ui/usePageTitle'

export function ImportPage() {
  usePageTitle('Import targets')
  return <Title order={1}>Import targets</Title>
}
