import { Fragment, type ReactNode } from 'react'

import classes from './Facts.module.css'

export interface Fact {
  key: string
  title: ReactNode
  value: ReactNode
}

/** Names and values, one pair below the other. */
export function Facts({ facts }: { facts: readonly Fact[] }) {
  return (
    <dl className={classes.facts}>
      {facts.map(({ key, title, value }) => (
        <Fragment key={key}>
          <dt>{title}</dt>
          <dd>{value}</dd>
        </Fragment>
      ))}
    </dl>
  )
}
