import { Button, FileButton, Group, Stack, Text, Textarea } from '@mantine/core'
import { IconFileUpload } from '@tabler/icons-react'
import { type DragEvent, useState } from 'react'

import { QUIET } from '#/components/form/quiet'
import { megabytes, MOST_BYTES, tooLarge } from '#/lib/upload'

import classes from './import.module.css'

interface PasteAreaProps {
  text: string
  finding: boolean
  onText: (text: string) => void
  onFind: (text: string) => void
}

/** Takes a text by pasting it, by dropping a file or by choosing one. The file is read in the browser. */
export function PasteArea({ text, finding, onText, onFind }: PasteAreaProps) {
  const [over, setOver] = useState(false)
  const [mistake, setMistake] = useState<string | null>(null)
  const take = async (files: readonly File[]) => {
    const refused = files.map(tooLarge).find((words) => words !== null)
    setMistake(refused ?? null)
    if (files.length === 0 || refused != null) return
    const texts = await Promise.all(files.map((file) => file.text()))
    const all = texts.join('\n')
    onText(all)
    find(all)
  }
  const find = (all: string) => {
    const long = new Blob([all]).size
    if (long > MOST_BYTES) setMistake(`This text is ${megabytes(long)}; at most 1 MB can be read.`)
    else onFind(all)
  }
  const drop = (event: DragEvent) => {
    event.preventDefault()
    setOver(false)
    if (event.dataTransfer.files.length > 0) void take([...event.dataTransfer.files])
    else onText(event.dataTransfer.getData('text'))
  }
  return (
    <Stack gap="sm">
      <div
        role="presentation"
        className={classes.drop}
        data-over={over}
        onDragOver={(event) => {
          event.preventDefault()
          setOver(true)
        }}
        onDragLeave={() => setOver(false)}
        onDrop={drop}
      >
        <Textarea
          size="md"
          label="Paste or drop it here"
          description="An .env file, a Compose file, or addresses one per line; at most 1 MB. Nothing is stored or tested before you say so."
          placeholder={'DATABASE_URL=postgresql://user:password@host/database\nredis://host:6379/0'}
          error={mistake}
          rows={10}
          value={text}
          onChange={(event) => {
            setMistake(null)
            onText(event.currentTarget.value)
          }}
          {...QUIET}
        />
      </div>
      <Group justify="space-between">
        <FileButton multiple onChange={(files) => void take(files)}>
          {(props) => (
            <Button
              variant="default"
              leftSection={<IconFileUpload size={16} aria-hidden="true" />}
              {...props}
            >
              Choose a file
            </Button>
          )}
        </FileButton>
        <Group gap={0}>
          <Text size="sm" c="dimmed" aria-live="polite" mr={over ? 'sm' : 0}>
            {over ? 'Let go to read it.' : ''}
          </Text>
          <Button loading={finding} disabled={text.trim() === ''} onClick={() => find(text)}>
            Find addresses
          </Button>
        </Group>
      </Group>
    </Stack>
  )
}
