import { useEffect, useRef, useState } from 'react'

import { openCheck } from '#/api/check'
import { useApi } from '#/api/context'
import { isSignedOut } from '#/api/problem'
import type { Result, StageResult } from '#/api/types'
import type { Body } from '#/lib/form'

export type TestPhase = 'none' | 'running' | 'done' | 'cancelled' | 'refused'

export interface Test {
  readonly phase: TestPhase
  readonly stages: readonly StageResult[]
  readonly result: Result | null
  readonly error: Error | null
  /** What was tested, as JSON: with another body the result is of before. */
  readonly of: string
}

const NONE: Test = { phase: 'none', stages: [], result: null, error: null, of: '' }

/** Tests what is not saved, telling each stage as it passes. Leaving the page cancels. */
export function useTest() {
  const api = useApi()
  const [test, setTest] = useState<Test>(NONE)
  const stop = useRef<AbortController | null>(null)
  useEffect(() => () => stop.current?.abort(), [])

  const run = async (body: Body): Promise<Error | null> => {
    stop.current?.abort()
    const { signal } = (stop.current = new AbortController())
    const change = (to: Partial<Test>) => {
      if (!signal.aborted) setTest((now) => ({ ...now, ...to }))
    }
    setTest({ ...NONE, phase: 'running', of: JSON.stringify(body) })
    try {
      for await (const event of openCheck(api, body, signal)) {
        if (event.name === 'stage') {
          setTest((now) => ({ ...now, stages: [...now.stages, event.stage] }))
        } else change({ phase: 'done', result: event.result })
      }
      return null
    } catch (error) {
      if (signal.aborted) return null
      change(isSignedOut(error) ? NONE : { phase: 'refused', error: error as Error })
      return error as Error
    }
  }
  const cancel = () => {
    stop.current?.abort()
    setTest((now) => ({ ...now, phase: 'cancelled' }))
  }
  return { test, run, cancel, forget: () => setTest(NONE) }
}
