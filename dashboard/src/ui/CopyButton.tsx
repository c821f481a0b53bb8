import { ActionIcon, Tooltip } from '@mantine/core'
import { IconCheck, IconCopy, IconX } from '@tabler/icons-react'
import { useEffect, useState } from 'react'

import { copyText } from '#/lib/clipboard'

type Copied = 'not yet' | 'yes' | 'failed'

const WORDS: Record<Copied, string> = {
  'not yet': '',
  yes: 'Copied',
  failed: 'Could not copy: select the text and copy it yourself',
}
const ICON: Record<Copied, typeof IconCopy> = {
  'not yet': IconCopy,
  yes: IconCheck,
  failed: IconX,
}
const SHOWN_MS = 2000

interface CopyButtonProps {
  value: string
  /** What is copied, as in "Copy the address". */
  what: string
}

export function CopyButton({ value, what }: CopyButtonProps) {
  const [copied, setCopied] = useState<Copied>('not yet')
  useEffect(() => {
    if (copied === 'not yet') return
    const timer = setTimeout(() => setCopied('not yet'), SHOWN_MS)
    return () => clearTimeout(timer)
  }, [copied])
  const Icon = ICON[copied]
  const copy = async () => setCopied((await copyText(value)) ? 'yes' : 'failed')
  return (
    <>
      <Tooltip label={WORDS[copied] || `Copy ${what}`}>
        <ActionIcon
          variant="subtle"
          color={copied === 'failed' ? 'red' : 'gray'}
          aria-label={`Copy ${what}`}
          onClick={() => void copy()}
        >
          <Icon size={16} aria-hidden="true" />
        </ActionIcon>
      </Tooltip>
      <span role="status" className="visually-hidden">
        {WORDS[copied]}
      </span>
    </>
  )
}
