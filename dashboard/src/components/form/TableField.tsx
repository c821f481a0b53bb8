import { ActionIcon, Button, Input, TextInput } from '@mantine/core'
import { IconPlus, IconX } from '@tabler/icons-react'
import { useId } from 'react'

import { asRows, row as newRow, type Row } from '#/lib/form'
import { helpOf } from '#/ui/Help'

import classes from './form.module.css'
import { QUIET } from './quiet'
import type { FieldProps } from './types'

/** Names and their values: headers, labels. */
export function TableField({ field, draft, errors, disabled, onChange }: FieldProps) {
  const labelId = useId()
  const rows = asRows(draft)
  const error = errors.get(field.path)
  const change = (id: number, to: Partial<Row>) =>
    onChange(rows.map((each) => (each.id === id ? { ...each, ...to } : each)))
  return (
    <Input.Wrapper
      label={field.title}
      labelElement="div"
      labelProps={{ id: labelId }}
      description={helpOf(field.help)}
      error={error}
      required={field.required}
    >
      <div
        role="group"
        aria-labelledby={labelId}
        className={classes.rows}
        tabIndex={-1}
        data-wrong={error !== undefined && rows.length === 0}
      >
        {rows.map((each, index) => (
          <TableRow
            key={each.id}
            row={each}
            name={`${field.title} ${index + 1}`}
            invalid={error !== undefined}
            twice={rows.some((other) => other.id !== each.id && other.key === each.key)}
            disabled={disabled}
            onChange={(to) => change(each.id, to)}
            onRemove={() => onChange(rows.filter((other) => other.id !== each.id))}
          />
        ))}
        <Button
          variant="default"
          size="xs"
          justify="start"
          w="fit-content"
          disabled={disabled}
          leftSection={<IconPlus size={14} aria-hidden="true" />}
          aria-label={`Add to ${field.title.toLowerCase()}`}
          onClick={() => onChange([...rows, newRow()])}
        >
          Add
        </Button>
      </div>
    </Input.Wrapper>
  )
}

interface TableRowProps {
  row: Row
  name: string
  invalid: boolean
  twice: boolean
  disabled: boolean
  onChange: (to: Partial<Row>) => void
  onRemove: () => void
}

function TableRow({ row, name, invalid, twice, disabled, onChange, onRemove }: TableRowProps) {
  return (
    <div className={classes.row}>
      <TextInput
        aria-label={`${name}, name`}
        placeholder="Name"
        // An error that stands at one row only would hide which: the table's own text says it.
        error={twice && row.key !== '' ? 'Stands there twice' : invalid}
        disabled={disabled}
        value={row.key}
        onChange={(event) => onChange({ key: event.currentTarget.value })}
        {...QUIET}
      />
      <TextInput
        aria-label={`${name}, value`}
        placeholder="Value"
        disabled={disabled}
        value={row.value}
        onChange={(event) => onChange({ value: event.currentTarget.value })}
        {...QUIET}
      />
      <ActionIcon
        variant="subtle"
        color="gray"
        disabled={disabled}
        aria-label={`Remove ${name}`}
        onClick={onRemove}
      >
        <IconX size={16} aria-hidden="true" />
      </ActionIcon>
    </div>
  )
}
