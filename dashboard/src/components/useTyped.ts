import { useState } from 'react'
import { useLocation, useNavigationType } from 'react-router'

/** Browsers refuse more than some hundred addresses in half a minute. */
export const WRITE_AFTER_MS = 200

/**
 * The words of the search. They are known here first and written to the address a moment later, so
 * that typing waits for nothing; going back, or here by a link, the address gives them.
 */
export function useTyped(written: string): [string, (text: string) => void] {
  const { key } = useLocation()
  const navigation = useNavigationType()
  const [text, setText] = useState(written)
  const [seen, setSeen] = useState(key)
  if (seen !== key) {
    setSeen(key)
    if (navigation !== 'REPLACE') setText(written) // what is replaced was typed here
  }
  return [text, setText]
}
