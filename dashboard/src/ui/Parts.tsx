import type { ReactNode } from 'react'

import classes from './Parts.module.css'

interface PartsProps {
  /** An element for each part. */
  children: ReactNode
  className?: string | undefined
}

/** Parts of a line with dots between them. Where the line wraps there is none, at neither end. */
export function Parts({ children, className = '' }: PartsProps) {
  return <span className={`${classes['parts']} ${className}`}>{children}</span>
}
