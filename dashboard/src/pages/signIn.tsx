import { Title } from '@mantine/core'

import { usePageTitle } from '#/ui/usePageTitle'

export function SignInPage() {
  usePageTitle('Sign in')
  return <Title order={1}>Sign in to Mooring</Title>
}
