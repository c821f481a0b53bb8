import { Group, Select, Stack, Text } from '@mantine/core'
import { IconCheck } from '@tabler/icons-react'

import type { Kind } from '#/api/types'
import { describedKind, groupsOf, searched } from '#/lib/kinds'

// The list itself scrolls: Mantine's own scrolling area in between cannot be reached by keyboard.
const SCROLLING = {
  withScrollArea: false,
  styles: { options: { maxHeight: '22rem', overflowY: 'auto' } },
} as const

interface KindSelectProps {
  kinds: readonly Kind[]
  value: Kind | null
  error: string | undefined
  onChange: (kind: Kind | null) => void
}

/** Every kind there is, found by name, by what it says of itself or by scheme. */
export function KindSelect({ kinds, value, error, onChange }: KindSelectProps) {
  const byName = (name: string | null) => kinds.find((kind) => kind.name === name) ?? null
  return (
    <Select
      label="Kind"
      description={value === null ? 'Recognised from the address, or chosen here.' : undefined}
      placeholder="Choose a kind"
      data={groupsOf(kinds).map(({ words, of }) => ({
        group: words,
        items: of.map((kind) => ({ value: kind.name, label: describedKind(kind).title })),
      }))}
      searchable
      clearable
      clearButtonProps={{ 'aria-label': 'Choose no kind' }}
      {...SCROLLING}
      nothingFoundMessage="No kind is called so, and none takes such addresses"
      filter={({ options, search }) => {
        const found = new Set(searched(kinds, search).map((kind) => kind.name))
        return options.map((option) =>
          'items' in option
            ? { ...option, items: option.items.filter((each) => found.has(each.value)) }
            : option,
        )
      }}
      renderOption={({ option, checked }) => {
        const kind = byName(option.value)
        return kind === null ? option.label : <KindOption kind={kind} checked={checked ?? false} />
      }}
      value={value?.name ?? null}
      error={error}
      onChange={(name) => onChange(byName(name))}
    />
  )
}

function KindOption({ kind, checked }: { kind: Kind; checked: boolean }) {
  const { title, about } = describedKind(kind)
  return (
    <Group wrap="nowrap" gap="sm" w="100%" justify="space-between">
      <Stack gap={0}>
        <Text size="sm" fw={500}>
          {title}
          {kind.schemes.length > 0 && (
            <Text span size="xs" c="dimmed" fw={400} ml="xs">
              {kind.schemes.map((scheme) => `${scheme}://`).join(' ')}
            </Text>
          )}
        </Text>
        <Text size="xs" c="dimmed">
          {about}
        </Text>
      </Stack>
      {checked && <IconCheck size={16} aria-hidden="true" />}
    </Group>
  )
}
