import { Title } from '@mantine/core'

import { usePageTitle } from '#/ui/usePageTitle'

export function TargetPage() {
  usePageTitle('Target')
  return <Title order={1}>Target</Title>
}
