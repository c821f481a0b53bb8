import { useState } from 'react'

import { openCheck } from '#/api/check'
import { useApi } from '#/api/context'
import { type Check, useCheck } from '#/components/useCheck'
import type { Body } from '#/lib/form'

export type { CheckPhase as TestPhase } from '#/components/useCheck'

export interface Test extends Check {
  /** What was tested, as JSON: with another body the result is of before. */
  readonly of: string
}

/** Tests what is not saved. */
export function useTest() {
  const api = useApi()
  const { check, run, cancel } = useCheck()
  const [of, setOf] = useState('')
  const start = (body: Body): Promise<Error | null> => {
    setOf(JSON.stringify(body))
    return run((signal) => openCheck(api, body, signal))
  }
  const test: Test = { ...check, of }
  return { test, run: start, cancel }
}
