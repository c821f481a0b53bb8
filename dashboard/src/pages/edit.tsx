import { Title } from '@mantine/core'

import { usePageTitle } from '#/ui/usePageTitle'

export function EditPage() {
  usePageTitle('Edit target')
  return <Title order={1}>Edit target</Title>
}
