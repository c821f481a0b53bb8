import { Button, Fieldset, Stack, Text } from '@mantine/core'
import { IconPlus, IconX } from '@tabler/icons-react'
import type { ComponentType } from 'react'

import { asGroup, type Drafts, newKey } from '#/lib/form'
import { fieldsOfItem } from '#/lib/jsonSchema'
import { helpOf } from '#/ui/Help'

import type { SchemaFieldsProps } from './SchemaField'
import type { FieldProps } from './types'

interface ItemsProps extends FieldProps {
  /** Draws the fields of one: handed in, since it draws these too. */
  Fields: ComponentType<SchemaFieldsProps>
}

/** Several of the same, each with settings of its own, such as steps. */
export function ItemsField({
  field,
  draft,
  stored,
  errors,
  disabled,
  onChange,
  Fields,
}: ItemsProps) {
  const drafts = asGroup(draft)
  const keys = Object.keys(drafts)
  const error = errors.get(field.path)
  const name = nameOf(field)
  const remove = (key: string) =>
    onChange(Object.fromEntries(Object.entries(drafts).filter(([each]) => each !== key)))
  return (
    <Fieldset legend={field.title} disabled={disabled}>
      <Stack gap="md">
        {field.help !== '' && (
          <Text size="sm" c="dimmed">
            {helpOf(field.help)}
          </Text>
        )}
        {error !== undefined && (
          <Text size="sm" c="red" role="alert" tabIndex={-1} data-wrong>
            {error}
          </Text>
        )}
        {keys.map((key, index) => (
          <Fieldset key={key} legend={`${name} ${index + 1}`}>
            <Stack gap="md">
              <Fields
                fields={fieldsOfItem(field, key)}
                drafts={asGroup(drafts[key])}
                stored={asGroup(asGroup(stored)[key])}
                errors={errors}
                disabled={disabled}
                onChange={(inner, to, path) =>
                  onChange({ ...drafts, [key]: { ...asGroup(drafts[key]), [inner]: to } }, path)
                }
              />
              <Action
                word="Remove"
                name={`Remove ${name.toLowerCase()} ${index + 1}`}
                Icon={IconX}
                disabled={disabled}
                onClick={() => remove(key)}
              />
            </Stack>
          </Fieldset>
        ))}
        <Action
          word="Add"
          name={`Add a ${name.toLowerCase()}`}
          Icon={IconPlus}
          disabled={disabled}
          onClick={() => onChange({ ...drafts, [newKey()]: NOTHING })}
        />
      </Stack>
    </Fieldset>
  )
}

const NOTHING: Drafts = {}

const nameOf = ({ shape, title }: FieldProps['field']): string =>
  shape.is === 'items' && shape.name !== '' ? shape.name : title

interface ActionProps {
  word: string
  name: string
  Icon: typeof IconPlus
  disabled: boolean
  onClick: () => void
}

function Action({ word, name, Icon, disabled, onClick }: ActionProps) {
  return (
    <Button
      variant="default"
      size="xs"
      justify="start"
      w="fit-content"
      disabled={disabled}
      leftSection={<Icon size={14} aria-hidden="true" />}
      aria-label={name}
      onClick={onClick}
    >
      {word}
    </Button>
  )
}
