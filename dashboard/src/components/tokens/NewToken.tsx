import { Button, Code, Group, Stack, Text } from '@mantine/core'

import { apiUrl } from '#/api/client'
import { CopyButton } from '#/ui/CopyButton'

interface NewTokenProps {
  secret: string
  onKept: () => void
}

/** The secret of a token just made: it is nowhere else, and gone with this. */
export function NewToken({ secret, onKept }: NewTokenProps) {
  const server = apiUrl('').replace(/\/$/, '')
  return (
    <Stack>
      <Text size="sm">Keep it in a safe place now: it is shown this once.</Text>
      <Copied what="the token" text={secret} />
      <Text size="sm">A person signs in with it. A program sends it with each request:</Text>
      <Copied
        what="the example for curl"
        text={`export MOORING_TOKEN='${secret}'\ncurl -fsS -H "Authorization: Bearer $MOORING_TOKEN" ${server}/api/v1/overview`}
      />
      <Text size="sm">or, from the command line of Mooring:</Text>
      <Copied
        what="the example for the command line"
        text={`export MOORING_TOKEN='${secret}' MOORING_SERVER='${server}'\nmooring targets list`}
      />
      <Group justify="flex-end">
        <Button onClick={onKept}>I have kept it</Button>
      </Group>
    </Stack>
  )
}

function Copied({ what, text }: { what: string; text: string }) {
  return (
    <Group gap="xs" wrap="nowrap" align="flex-start">
      <Code block flex={1} style={{ whiteSpace: 'pre-wrap', overflowWrap: 'anywhere' }}>
        {text}
      </Code>
      <CopyButton value={text} what={what} />
    </Group>
  )
}
