import { ActionIcon, TextInput, type TextInputProps, Tooltip } from '@mantine/core'
import { IconEye, IconEyeOff } from '@tabler/icons-react'
import { type Ref, useState } from 'react'

import { withoutPassword } from '#/lib/address'

import classes from './form.module.css'
import { QUIET } from './quiet'

interface AddressTextProps extends Omit<TextInputProps, 'value' | 'onChange'> {
  value: string
  onText: (text: string) => void
  ref?: Ref<HTMLInputElement>
}

/** An address to type. Its password shows while it is typed, and else only where that is asked for. */
export function AddressText({ value, onText, ...rest }: AddressTextProps) {
  const [typing, setTyping] = useState(false)
  const [shown, setShown] = useState(false)
  const hidden = withoutPassword(value)
  return (
    <TextInput
      {...rest}
      className={classes.address ?? ''}
      value={typing || shown ? value : hidden}
      onChange={(event) => onText(event.currentTarget.value)}
      onFocus={() => setTyping(true)}
      onBlur={() => setTyping(false)}
      rightSection={
        hidden === value ? null : <Eye shown={shown} onPress={() => setShown(!shown)} />
      }
      {...QUIET}
    />
  )
}

function Eye({ shown, onPress }: { shown: boolean; onPress: () => void }) {
  const Icon = shown ? IconEyeOff : IconEye
  const word = shown ? 'Hide the password' : 'Show the password'
  return (
    <Tooltip label={word}>
      <ActionIcon variant="subtle" color="gray" aria-label={word} onClick={onPress}>
        <Icon size={16} aria-hidden="true" />
      </ActionIcon>
    </Tooltip>
  )
}
