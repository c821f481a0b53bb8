import { Button, Code, Group, PasswordInput, Text } from '@mantine/core'
import { IconFileImport, IconPlugConnected } from '@tabler/icons-react'
import { useState, type SubmitEvent } from 'react'
import { Link, useNavigate } from 'react-router'

import { useMay } from '#/api/context'
import type { OverviewRow } from '#/api/types'
import { paths } from '#/lib/paths'
import { EmptyState } from '#/ui/EmptyState'

import classes from './Welcome.module.css'

/** Whether nobody has added anything yet: Mooring's own parts carry the label `mooring`. */
export const isFresh = (rows: readonly OverviewRow[]): boolean =>
  rows.every((row) => 'mooring' in row.labels)

/** What to begin with, as long as there is no target of one's own. */
export function Welcome({ demo }: { demo: boolean }) {
  const may = useMay()
  if (!may.edit) {
    return (
      <section className={classes.welcome} aria-label="Begin">
        <EmptyState title="No targets yet">
          Whoever has the role operator or admin can add the first one.
        </EmptyState>
      </section>
    )
  }
  return (
    <section className={classes.welcome} aria-label="Begin">
      <EmptyState
        title="What shall Mooring watch?"
        icon={<IconPlugConnected size={32} aria-hidden="true" className={classes.icon} />}
        actions={<Begin />}
      >
        Paste the address of a database, a queue, a web service: Mooring finds out its kind and
        tests it stage by stage before you save it.
      </EmptyState>
      <Text size="xs" c="dimmed" ta="center" pb="md">
        {demo ? (
          <>Below stand Mooring’s own parts and the demo’s, which are watched already.</>
        ) : (
          <>
            Only want to look around? <Code>mooring serve --demo</Code> starts with some targets to
            see.
          </>
        )}
      </Text>
    </section>
  )
}

function Begin() {
  const [address, setAddress] = useState('')
  const navigate = useNavigate()
  // Not in the address of the page: what is pasted may hold a password, and a page's address stays
  // in the browser's history and in the logs of proxies.
  const add = (event: SubmitEvent) => {
    event.preventDefault()
    void navigate(paths.add(), { state: { address: address.trim() } })
  }
  return (
    <>
      <form className={classes.form} onSubmit={add}>
        <PasswordInput
          className={classes.address}
          aria-label="Address"
          placeholder="postgresql://user:password@host:5432/database"
          autoComplete="off"
          maxLength={4096}
          defaultVisible
          value={address}
          onChange={(event) => setAddress(event.currentTarget.value)}
        />
        <Button type="submit" disabled={address.trim() === ''}>
          Test and add
        </Button>
      </form>
      <Group justify="center">
        <Button
          component={Link}
          to={paths.import()}
          variant="subtle"
          leftSection={<IconFileImport size={16} aria-hidden="true" />}
        >
          Import an environment file
        </Button>
      </Group>
    </>
  )
}
