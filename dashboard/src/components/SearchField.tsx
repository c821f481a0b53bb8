import { CloseButton, Kbd, TextInput } from '@mantine/core'
import { IconSearch } from '@tabler/icons-react'
import type { RefObject } from 'react'

import classes from './SearchField.module.css'
import { useSlash } from './useSlash'

interface SearchFieldProps {
  field: RefObject<HTMLInputElement | null>
  label: string
  /** What is looked at. */
  placeholder: string
  value: string
  onType: (text: string) => void
  className: string | undefined
}

/** The search of a list: `/` leads to it, Escape empties it. */
export function SearchField(props: SearchFieldProps) {
  const { field, label, placeholder, value, onType, className } = props
  useSlash(field)
  const clear = () => {
    onType('')
    field.current?.focus()
  }
  const hint = (
    <Kbd size="xs" className={classes.key ?? ''}>
      /
    </Kbd>
  )
  return (
    <TextInput
      ref={field}
      className={className ?? ''}
      role="searchbox"
      aria-label={label}
      aria-keyshortcuts="/"
      placeholder={placeholder}
      autoComplete="off"
      spellCheck={false}
      maxLength={200}
      leftSection={<IconSearch size={16} aria-hidden="true" />}
      rightSection={value === '' ? hint : <CloseButton aria-label="Clear search" onClick={clear} />}
      value={value}
      onChange={(event) => onType(event.currentTarget.value)}
      onKeyDown={(event) => {
        if (event.key === 'Escape' && value !== '') clear()
      }}
    />
  )
}
