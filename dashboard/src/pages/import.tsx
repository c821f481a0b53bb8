import { Alert, Anchor, Button, Group, Stack, Text, Title } from '@mantine/core'
import { IconInfoCircle, IconZoomQuestion } from '@tabler/icons-react'
import { useState } from 'react'
import { Link } from 'react-router'

import { ForEditors } from '#/components/form/ForEditors'
import { useLeaveGuard } from '#/components/form/useLeaveGuard'
import { FoundList } from '#/components/import/FoundList'
import { PasteArea } from '#/components/import/PasteArea'
import { useImport } from '#/components/import/useImport'
import { pickedOf } from '#/lib/importing'
import { paths } from '#/lib/paths'
import { EmptyState } from '#/ui/EmptyState'
import { ErrorNotice } from '#/ui/ErrorNotice'
import { Folded } from '#/ui/Folded'
import { usePageTitle } from '#/ui/usePageTitle'

export function ImportPage() {
  usePageTitle('Import targets')
  return (
    <Stack gap="lg">
      <div>
        <Title order={1}>Import targets</Title>
        <Text c="dimmed" size="sm" mt={4}>
          Many at once; for a single address there is{' '}
          <Anchor component={Link} to={paths.add()} inherit>
            Add
          </Anchor>
          .
        </Text>
      </div>
      <ForEditors to="add">
        <Import />
      </ForEditors>
    </Stack>
  )
}

function Import() {
  const [text, setText] = useState('')
  const [editing, setEditing] = useState(true)
  const found = useImport()
  const { rows, notes, looked, busy, mistake, find } = found
  const unsaved = rows.length > 0 ? pickedOf(rows).length > 0 : text.trim() !== ''
  const guard = useLeaveGuard(unsaved)
  const start = async (all: string) => {
    setEditing(false)
    await find(all)
  }
  const shown = editing || rows.length === 0
  return (
    <Stack gap="lg">
      {mistake !== null && <ErrorNotice error={mistake} title="The text could not be read" />}
      {shown ? (
        <PasteArea
          text={text}
          finding={busy === 'finding'}
          onText={setText}
          onFind={(all) => void start(all)}
        />
      ) : (
        <Group>
          <Button variant="default" size="xs" onClick={() => setEditing(true)}>
            Back to the text
          </Button>
        </Group>
      )}
      {looked && rows.length === 0 && busy === 'no' && mistake === null && (
        <EmptyState
          title="No address was found"
          icon={<IconZoomQuestion size={32} aria-hidden="true" />}
        >
          Looked for addresses such as postgresql://host/database, for variables that make one
          together (DB_HOST, DB_USER, …), and for services of a Compose file.
        </EmptyState>
      )}
      {looked && notes.length > 0 && busy !== 'finding' && mistake === null && (
        <PassedOver notes={notes} />
      )}
      {rows.length > 0 && <FoundList {...found} />}
      {guard.dialog}
    </Stack>
  )
}

/** What of the text became no row, in the API's own words. */
function PassedOver({ notes }: { notes: readonly string[] }) {
  return (
    <Alert
      color="gray"
      icon={<IconInfoCircle aria-hidden="true" />}
      title="Not all of it was taken"
      role="status"
    >
      {notes.map((note) => (
        <Folded key={note} text={note} />
      ))}
    </Alert>
  )
}
