import type { ReactNode } from 'react'

import classes from './Note.module.css'

interface NoteProps {
  icon: ReactNode
  text: string
  /** What can be done about it. */
  children: ReactNode
}

/** What is to be known of all that stands below it, said aloud too. */
export const Note = ({ icon, text, children }: NoteProps) => (
  <div role="status" className={classes.note}>
    {icon}
    <span>{text}</span>
    {children}
  </div>
)
