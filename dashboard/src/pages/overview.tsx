import { Title } from '@mantine/core'

import { usePageTitle } from '#/ui/usePageTitle'

export function OverviewPage() {
  usePageTitle('Overview')
  return <Title order={1}>Overview</Title>
}
