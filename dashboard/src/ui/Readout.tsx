import { Text } from '@mantine/core'

import { Parts } from './Parts'
import classes from './Readout.module.css'

interface ReadoutProps {
  /** The step that is looked at, part by part; null: none is. */
  parts: readonly string[] | null
  /** What is said meanwhile. */
  rest: string
}

/** What a chart says below itself of the step that is looked at. */
export const Readout = ({ parts, rest }: ReadoutProps) => (
  <div className={classes.readout}>
    {parts === null ? (
      <Text span size="sm" c="dimmed">
        {rest}
      </Text>
    ) : (
      <Parts>
        {parts.map((part) => (
          <span key={part}>{part}</span>
        ))}
      </Parts>
    )}
  </div>
)
