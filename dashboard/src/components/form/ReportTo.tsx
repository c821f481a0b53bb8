import { Button, Code, Group, Paper, Stack, Text, Title } from '@mantine/core'
import { Link } from 'react-router'

import type { SavedTarget } from '#/api/types'
import { paths } from '#/lib/paths'
import { CopyButton } from '#/ui/CopyButton'

import classes from './form.module.css'

/** Where a target has to report to. Its address is a secret, and shown this once. */
export function ReportTo({ target }: { target: SavedTarget }) {
  const address = new URL(target.report_to ?? '', document.baseURI).toString()
  const command = `curl -fsS ${address}`
  return (
    <Stack gap="md">
      <Title order={2} size="h4" tabIndex={-1} ref={focus}>
        {target.name} is saved
      </Title>
      <Text>
        Let it report to this address at least every {target.interval} s. The address is its login,
        and is shown this once: keep it now.
      </Text>
      <Line label="Address" text={address} what="the address" />
      <Line label="For example, at the end of a job" text={command} what="the command" />
      <Group>
        <Button component={Link} to={paths.target(target.id)}>
          Go to {target.name}
        </Button>
      </Group>
    </Stack>
  )
}

const focus = (heading: HTMLHeadingElement | null) => heading?.focus()

function Line({ label, text, what }: { label: string; text: string; what: string }) {
  return (
    <div>
      <Text size="sm" fw={500} mb={4}>
        {label}
      </Text>
      <Paper withBorder px="sm" py={6}>
        <Group justify="space-between" wrap="nowrap">
          <Code className={classes.value ?? ''} bg="transparent">
            {text}
          </Code>
          <CopyButton value={text} what={what} />
        </Group>
      </Paper>
    </div>
  )
}
