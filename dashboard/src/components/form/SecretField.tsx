import { ActionIcon, Button, Group, TextInput, Tooltip } from '@mantine/core'
import { IconEye, IconEyeOff } from '@tabler/icons-react'
import { useState } from 'react'

import { asText } from '#/lib/form'
import { helpOf } from '#/ui/Help'

import classes from './form.module.css'
import { QUIET } from './quiet'
import type { FieldProps } from './types'

/** A value that goes to the server and never comes back. */
export function SecretField(props: FieldProps) {
  const { field, draft, stored, disabled, onChange } = props
  const kept = stored !== undefined && draft === stored
  const [replacing, setReplacing] = useState(false)
  if (kept && !replacing) return <KeptSecret {...props} onReplace={() => setReplacing(true)} />
  const keep = () => {
    setReplacing(false)
    onChange(stored)
  }
  return (
    <Group align="flex-end" wrap="nowrap" gap="xs">
      <SecretInput
        {...props}
        text={kept ? '' : asText(draft)}
        focused={replacing}
        // Nothing typed yet: what is stored stays, and is removed by its own button alone.
        onText={(text) => onChange(text === '' && stored !== undefined ? stored : text)}
      />
      {stored !== undefined && (
        <Button
          variant="default"
          disabled={disabled}
          aria-label={`Keep the stored ${field.title.toLowerCase()}`}
          onClick={keep}
        >
          Keep
        </Button>
      )}
    </Group>
  )
}

interface KeptProps extends FieldProps {
  onReplace: () => void
}

function KeptSecret({ field, errors, disabled, onReplace, onChange }: KeptProps) {
  return (
    <Group align="flex-end" wrap="nowrap" gap="xs">
      <TextInput
        flex={1}
        label={field.title}
        description={helpOf(field.help)}
        placeholder="Unchanged"
        error={errors.get(field.path)}
        required={field.required}
        value=""
        readOnly
        {...QUIET}
      />
      <Button
        variant="default"
        disabled={disabled}
        aria-label={`Replace ${field.title.toLowerCase()}`}
        onClick={onReplace}
      >
        Replace
      </Button>
      {!field.required && (
        <Button
          variant="subtle"
          color="red"
          disabled={disabled}
          aria-label={`Remove ${field.title.toLowerCase()}`}
          onClick={() => onChange('')}
        >
          Remove
        </Button>
      )}
    </Group>
  )
}

/** Whoever asked to replace it types next. */
const focus = (input: HTMLInputElement | null) => input?.focus()

interface SecretInputProps extends FieldProps {
  text: string
  focused: boolean
  onText: (text: string) => void
}

function SecretInput(props: SecretInputProps) {
  const { field, stored, errors, disabled, text, focused, onText } = props
  const [shown, setShown] = useState(false)
  const Icon = shown ? IconEyeOff : IconEye
  const word = `${shown ? 'Hide' : 'Show'} ${field.title.toLowerCase()}`
  const removed = stored !== undefined && text === '' && props.draft === ''
  return (
    <TextInput
      flex={1}
      label={field.title}
      description={helpOf(field.help)}
      placeholder={removed ? 'Will be removed' : ''}
      error={errors.get(field.path)}
      required={field.required}
      disabled={disabled}
      ref={focused ? focus : null}
      value={text}
      onChange={(event) => onText(event.currentTarget.value)}
      classNames={shown ? {} : { input: classes.hidden }}
      rightSection={
        <Tooltip label={word}>
          <ActionIcon
            variant="subtle"
            color="gray"
            aria-label={word}
            onClick={() => setShown(!shown)}
          >
            <Icon size={16} aria-hidden="true" />
          </ActionIcon>
        </Tooltip>
      }
      {...QUIET}
    />
  )
}
