import { Button, Checkbox, Group, Progress, Stack, Title } from '@mantine/core'
import { Link } from 'react-router'

import { plural } from '#/lib/format'
import { isOpen, pickedOf, type Row, tallyOf, works } from '#/lib/importing'
import { paths } from '#/lib/paths'
import { ActionBar } from '#/ui/ActionBar'

import { FoundRow } from './FoundRow'
import classes from './import.module.css'
import type { Import } from './useImport'

/** What was found: tested side by side, picked, saved. */
export function FoundList({ rows, busy, step, test, cancel, save }: Import) {
  const open = rows.filter(isOpen)
  const picked = pickedOf(rows)
  const { asked, over } = tallyOf(rows)
  const saved = rows.filter(({ savedAs }) => savedAs !== null).length
  const testing = busy === 'testing'
  const all = open.map(({ id }) => id)
  return (
    <Stack gap="sm" component="section" aria-label="Found addresses">
      <Group justify="space-between">
        <Title order={2} tabIndex={-1} ref={focus}>
          {plural(rows.length, 'address', 'addresses')} found
        </Title>
        <Group gap="md">
          {over > 0 && !testing && open.length > 0 && (
            <Button
              variant="subtle"
              size="xs"
              onClick={() => {
                step({ is: 'picked', ids: all, picked: false })
                step({ is: 'picked', ids: open.filter(works).map(({ id }) => id), picked: true })
              }}
            >
              Pick those that work
            </Button>
          )}
          {open.length > 0 && (
            <Checkbox
              label="Pick all"
              checked={picked.length === open.length}
              indeterminate={picked.length > 0 && picked.length < open.length}
              disabled={busy !== 'no'}
              onChange={(event) =>
                step({ is: 'picked', ids: all, picked: event.currentTarget.checked })
              }
            />
          )}
        </Group>
      </Group>
      {testing && (
        <Progress value={asked === 0 ? 0 : (100 * over) / asked} aria-label="Tested so far" />
      )}
      <ul className={classes.list}>
        {rows.map((row) => (
          <FoundRow key={row.id} row={row} disabled={busy !== 'no'} step={step} />
        ))}
      </ul>
      <ActionBar words={testing ? `Tested ${over} of ${asked}` : wordsOf(rows, picked)}>
        {saved > 0 && !testing && <ToOverview last={open.length === 0} several={saved > 1} />}
        {testing ? (
          <Button variant="default" onClick={cancel}>
            Cancel
          </Button>
        ) : (
          open.length > 0 && (
            <Button
              variant={over > 0 ? 'default' : 'filled'}
              disabled={picked.length === 0 || busy !== 'no'}
              onClick={() => void test()}
            >
              {counted('Test', picked.length)}
            </Button>
          )
        )}
        {open.length > 0 && (
          <Button
            variant={over > 0 ? 'filled' : 'default'}
            loading={busy === 'saving'}
            disabled={picked.length === 0 || testing}
            onClick={() => void save()}
          >
            {counted('Save', picked.length)}
          </Button>
        )}
      </ActionBar>
    </Stack>
  )
}

const counted = (verb: string, count: number): string => (count === 0 ? verb : `${verb} ${count}`)

/** Where what was saved is to be seen; `last`: nothing is left to do here. */
const ToOverview = ({ last, several }: { last: boolean; several: boolean }) => (
  <Button component={Link} to={paths.overview()} variant={last ? 'filled' : 'subtle'}>
    See {several ? 'them' : 'it'} in the overview
  </Button>
)

const focus = (heading: HTMLHeadingElement | null) => heading?.focus({ preventScroll: true })

/** What saving now would mean. */
function wordsOf(rows: readonly Row[], picked: readonly Row[]): string {
  const saved = rows.filter(({ savedAs }) => savedAs !== null).length
  const failed = rows.filter(({ mistake }) => mistake !== null).length
  const untested = picked.filter(({ test }) => test.phase === 'none').length
  const broken = picked.filter((row) => row.test.phase !== 'none' && !works(row)).length
  return [
    saved > 0 ? `${saved} saved.` : '',
    failed > 0 ? `${failed} not saved: see each.` : '',
    saved === 0 && !rows.some(isOpen) ? 'None of them can be tested as it stands: see each.' : '',
    picked.length > 0 && untested === picked.length ? 'Not tested yet.' : '',
    untested > 0 && untested < picked.length ? `${untested} of the picked not tested.` : '',
    broken > 0 ? `${broken} of the picked ${broken === 1 ? 'does' : 'do'} not work.` : '',
  ]
    .filter(Boolean)
    .join(' ')
}
