import { Anchor, Button, Code, PasswordInput, Text, Title } from '@mantine/core'
import { useState, type SubmitEvent } from 'react'
import { Link, useNavigate } from 'react-router'

import { useMay } from '#/api/context'
import type { OverviewRow } from '#/api/types'
import { comesWithMooring } from '#/lib/origin'
import { paths } from '#/lib/paths'
import { EmptyState } from '#/ui/EmptyState'

import classes from './Welcome.module.css'

/** Whether nobody has added anything yet: Mooring's own parts carry the label `mooring`. */
export const isFresh = (rows: readonly OverviewRow[]): boolean => rows.every(comesWithMooring)

/** What to begin with, as long as there is no target of one's own. */
export function Welcome({ rows }: { rows: readonly OverviewRow[] }) {
  const may = useMay()
  if (!may.edit) {
    return (
      <section className={classes.alone} aria-label="Begin">
        <EmptyState title="No targets yet">
          Whoever has the role operator or admin can add the first one.
        </EmptyState>
      </section>
    )
  }
  return (
    <section className={classes.welcome} aria-label="Begin">
      <div className={classes.paste}>
        <Title order={2}>What shall Mooring watch?</Title>
        <Text c="dimmed" size="sm">
          Paste the address of a database, a queue, a web service. Mooring finds out its kind and
          tests it stage by stage before you save it.
        </Text>
        <Begin />
      </div>
      <dl className={classes.others}>
        <div>
          <dt>Many at once</dt>
          <dd>
            <Anchor component={Link} to={paths.import()} inherit underline="always">
              Import an environment file
            </Anchor>{' '}
            or a Compose file.
          </dd>
        </div>
        <div>
          <dt>Just looking</dt>
          <dd>
            <Look rows={rows} />
          </dd>
        </div>
      </dl>
    </section>
  )
}

/** What there is to look at meanwhile. */
function Look({ rows }: { rows: readonly OverviewRow[] }) {
  const shown = rows.filter((row) => row.labels['mooring'] === 'demo').length
  if (shown > 0) {
    const demo = shown === 1 ? 'the demo’s target' : 'the demo’s targets'
    return `Below stand ${demo} and Mooring’s own parts. Open one to see its stages.`
  }
  return (
    <>
      <Code>mooring serve --demo</Code> starts with targets to see. Mooring’s own parts stand below.
    </>
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
      <Button type="submit" className={classes.submit} disabled={address.trim() === ''}>
        Continue
      </Button>
    </form>
  )
}
