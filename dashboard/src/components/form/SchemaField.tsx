import {
  Fieldset,
  MultiSelect,
  Select,
  Stack,
  Switch,
  Text,
  Textarea,
  TextInput,
} from '@mantine/core'
import type { ReactNode } from 'react'

import { asGroup, asText, type Draft, type Drafts, lines } from '#/lib/form'
import { type Field, type Option, placeholderOf, type Shape } from '#/lib/jsonSchema'
import { helpOf } from '#/ui/Help'

import { ItemsField } from './ItemsField'
import { AddressText } from './AddressText'
import { QUIET } from './quiet'
import { SecretField } from './SecretField'
import { TableField } from './TableField'
import type { FieldProps } from './types'

type Draw = (props: FieldProps) => ReactNode
const FEW = 8
// The list itself scrolls: Mantine's own scrolling area in between cannot be reached by keyboard.
const SCROLLING = { maxHeight: '16rem', overflowY: 'auto' } as const

/** One setting, drawn by its shape. */
export function SchemaField(props: FieldProps) {
  const Draw = DRAW[props.field.shape.is]
  return <Draw {...props} />
}

const DRAW: Record<Shape['is'], Draw> = {
  text: TextField,
  address: AddressField,
  secret: SecretField,
  number: NumberField,
  switch: SwitchField,
  choice: ChoiceField,
  list: ListField,
  table: TableField,
  group: GroupField,
  items: (props) => <ItemsField {...props} Fields={SchemaFields} />,
  json: JsonField,
}

const labelled = ({ field, errors, disabled }: FieldProps) => ({
  label: field.title,
  description: helpOf(field.help),
  error: errors.get(field.path),
  required: field.required,
  disabled,
})

function TextField(props: FieldProps) {
  const { field, draft, onChange } = props
  const shared = {
    ...labelled(props),
    placeholder: placeholderOf(field),
    value: asText(draft),
    ...QUIET,
  }
  return field.shape.is === 'text' && field.shape.long ? (
    <Textarea
      {...shared}
      autosize
      minRows={1}
      maxRows={12}
      onChange={(event) => onChange(event.currentTarget.value)}
    />
  ) : (
    <TextInput {...shared} onChange={(event) => onChange(event.currentTarget.value)} />
  )
}

function AddressField(props: FieldProps) {
  const { field, draft, stored, onChange } = props
  const changed = stored !== undefined && draft !== stored
  const warn = 'What was hidden of it is not kept: write its password and all behind ? again.'
  return (
    <AddressText
      {...labelled(props)}
      description={helpOf(field.help, changed ? warn : '')}
      placeholder={placeholderOf(field)}
      value={asText(draft)}
      onText={onChange}
    />
  )
}

function NumberField(props: FieldProps) {
  const { field, draft, onChange } = props
  const { whole, bounds } = field.shape.is === 'number' ? field.shape : { whole: false, bounds: '' }
  const limits = bounds === '' ? '' : `${bounds.charAt(0).toUpperCase()}${bounds.slice(1)}.`
  return (
    <TextInput
      {...labelled(props)}
      description={helpOf(field.help, limits)}
      placeholder={placeholderOf(field)}
      // Not type="number": that one throws away what is no number instead of saying so.
      inputMode={whole ? 'numeric' : 'decimal'}
      styles={{ wrapper: { maxWidth: '16rem' } }}
      value={asText(draft)}
      onChange={(event) => onChange(event.currentTarget.value)}
      {...QUIET}
    />
  )
}

function SwitchField(props: FieldProps) {
  const { field, draft, onChange } = props
  const { required: _, ...rest } = labelled(props)
  return (
    <Switch
      {...rest}
      checked={typeof draft === 'boolean' ? draft : field.fallback === true}
      onChange={(event) => onChange(event.currentTarget.checked)}
    />
  )
}

const choices = (options: readonly Option[]) =>
  options.map(({ value, word }) => ({ value: JSON.stringify(value), label: word }))

function wordOf(field: Field, options: readonly Option[]): string {
  const found = options.find(({ value }) => value === field.fallback)
  return found === undefined ? 'Not set' : `${found.word} (default)`
}

function ChoiceField(props: FieldProps) {
  const { field, draft, onChange } = props
  const options = field.shape.is === 'choice' ? field.shape.options : []
  return (
    <Select
      {...labelled(props)}
      data={choices(options)}
      placeholder={field.required ? 'Choose' : wordOf(field, options)}
      searchable={options.length > FEW}
      clearable={!field.required}
      clearButtonProps={{ 'aria-label': `Clear ${field.title.toLowerCase()}` }}
      withScrollArea={false}
      styles={{ wrapper: { maxWidth: '24rem' }, options: SCROLLING }}
      value={asText(draft) || null}
      onChange={(value) => onChange(value ?? undefined)}
    />
  )
}

function ListField(props: FieldProps) {
  const { field, draft, onChange } = props
  const item = field.shape.is === 'list' ? field.shape.item : null
  if (item?.is === 'choice') {
    return (
      <MultiSelect
        {...labelled(props)}
        data={choices(item.options)}
        placeholder={asText(draft) === '' ? placeholderOf(field) || 'Not set' : ''}
        clearable
        withScrollArea={false}
        styles={{ options: SCROLLING }}
        value={lines(asText(draft))}
        onChange={(values) => onChange(values.join('\n'))}
      />
    )
  }
  return (
    <Textarea
      {...labelled(props)}
      description={helpOf(field.help, 'One per line.')}
      placeholder={placeholderOf(field)}
      autosize
      minRows={1}
      maxRows={10}
      value={asText(draft)}
      onChange={(event) => onChange(event.currentTarget.value)}
      {...QUIET}
    />
  )
}

function GroupField({ field, draft, stored, errors, disabled, onChange }: FieldProps) {
  const fields = field.shape.is === 'group' ? field.shape.fields : []
  const drafts = asGroup(draft)
  const error = errors.get(field.path)
  return (
    <Fieldset legend={field.title} disabled={disabled}>
      {field.help !== '' && (
        <Text size="sm" c="dimmed" mb="sm">
          {helpOf(field.help)}
        </Text>
      )}
      {error !== undefined && (
        <Text size="sm" c="red" mb="sm" role="alert" tabIndex={-1} data-wrong>
          {error}
        </Text>
      )}
      <SchemaFields
        fields={fields}
        drafts={drafts}
        stored={asGroup(stored)}
        errors={errors}
        disabled={disabled}
        onChange={(key, inner, path) => onChange({ ...drafts, [key]: inner }, path)}
      />
    </Fieldset>
  )
}

function JsonField(props: FieldProps) {
  const { field, draft, onChange } = props
  const long = field.shape.is === 'json' && field.shape.long
  const how = long ? 'Written as JSON.' : 'A number, true or false counts as such; "12" is a text.'
  return (
    <Textarea
      {...labelled(props)}
      description={helpOf(field.help, how)}
      placeholder={placeholderOf(field)}
      autosize
      minRows={long ? 2 : 1}
      maxRows={12}
      value={asText(draft)}
      onChange={(event) => onChange(event.currentTarget.value)}
      {...QUIET}
    />
  )
}

export interface SchemaFieldsProps {
  fields: readonly Field[]
  drafts: Drafts
  stored: Drafts
  errors: ReadonlyMap<string, string>
  disabled: boolean
  onChange: (key: string, draft: Draft, path: string) => void
}

/** Settings one below the other. */
export function SchemaFields({ fields, drafts, stored, onChange, ...shared }: SchemaFieldsProps) {
  return (
    <Stack gap="md">
      {fields.map((field) => (
        <SchemaField
          key={field.path}
          {...shared}
          field={field}
          draft={drafts[field.key]}
          stored={stored[field.key]}
          onChange={(draft, path = field.path) => onChange(field.key, draft, path)}
        />
      ))}
    </Stack>
  )
}
