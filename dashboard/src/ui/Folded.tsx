import { UnstyledButton } from '@mantine/core'
import { useId, useState } from 'react'

import { count } from '#/lib/format'

import { Breakable } from './Breakable'
import classes from './Folded.module.css'
import { Help } from './Help'

const MOST_CHARACTERS = 400

/** One word that has parts: it is to wrap between these, and not for its last letter. */
const isAddress = (text: string): boolean => text.includes('/') && !/\s/.test(text)

interface FoldedProps {
  text: string
  /** How many lines are shown of a long text. */
  lines?: 2 | 6
  /** Whether it is our own advice, in which `this` is code. */
  help?: boolean
}

/** A text as it came, line breaks and all; a long one folded, to be shown whole on demand. */
export function Folded({ text, lines = 6, help = false }: FoldedProps) {
  const [open, setOpen] = useState(false)
  const id = useId()
  const long = text.length > (lines / 6) * MOST_CHARACTERS || text.split('\n').length > lines
  return (
    <div className={classes.root}>
      <div id={id} className={classes.text} data-lines={long && !open ? lines : undefined}>
        {isAddress(text) ? <Breakable address={text} /> : help ? <Help text={text} /> : text}
      </div>
      {long && (
        <UnstyledButton
          className={classes.more}
          aria-expanded={open}
          aria-controls={id}
          onClick={() => setOpen(!open)}
        >
          {open ? 'Show less' : `Show all ${count(text.length)} characters`}
        </UnstyledButton>
      )}
    </div>
  )
}
