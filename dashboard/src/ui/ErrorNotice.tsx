import { Alert, Button, List } from '@mantine/core'
import { IconAlertCircle, IconPlugConnectedX } from '@tabler/icons-react'

import { ApiError, isSignedOut, Unreachable } from '#/api/problem'

import { Folded } from './Folded'

interface ErrorNoticeProps {
  error: Error
  /** What did not work, as in "The target was not saved". */
  title?: string
  onRetry?: () => void
  retrying?: boolean
}

/** An error in the API's own words, each field's too, with a way to try again. Of a session's end nothing. */
export function ErrorNotice({ error, title, onRetry, retrying = false }: ErrorNoticeProps) {
  if (isSignedOut(error)) return null
  const Icon = error instanceof Unreachable ? IconPlugConnectedX : IconAlertCircle
  const fields = error instanceof ApiError ? error.errors : []
  return (
    <Alert
      role="alert"
      color="red"
      variant="light"
      icon={<Icon aria-hidden="true" />}
      title={title ?? 'That did not work'}
    >
      <Folded text={error.message} />
      {fields.length > 0 && (
        <List size="sm" mt="xs">
          {fields.map(({ field, message }) => (
            <List.Item key={`${field} ${message}`}>
              {field === '' ? message : `${field} ${message}`}
            </List.Item>
          ))}
        </List>
      )}
      {onRetry !== undefined && (
        <Button mt="sm" size="xs" variant="default" loading={retrying} onClick={onRetry}>
          Try again
        </Button>
      )}
    </Alert>
  )
}
