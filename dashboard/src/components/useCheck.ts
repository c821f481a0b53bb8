import { useEffect, useRef, useState } from 'react'

import { type CheckEvent, Removed } from '#/api/check'
import { isSignedOut } from '#/api/problem'
import type { Result, Stage, StageResult } from '#/api/types'

export type CheckPhase = 'none' | 'running' | 'done' | 'cancelled' | 'refused'

/** A check that was asked for here. */
export interface Check {
  readonly phase: CheckPhase
  /** The stages so far, and the one that runs now. */
  readonly stages: readonly StageResult[]
  readonly began: Stage | null
  readonly result: Result | null
  readonly error: Error | null
}

const NO_CHECK: Check = { phase: 'none', stages: [], began: null, result: null, error: null }

/** Runs one check at a time, as told by its stream. Leaving the page cancels. */
export function useCheck() {
  const [check, setCheck] = useState(NO_CHECK)
  const stop = useRef<AbortController | null>(null)
  useEffect(() => () => stop.current?.abort(), [])

  /** Returns what went wrong with the asking; null where there is a result, or nobody waits for it. */
  const run = async (
    open: (signal: AbortSignal) => AsyncIterable<CheckEvent>,
  ): Promise<Error | null> => {
    stop.current?.abort()
    const { signal } = (stop.current = new AbortController())
    setCheck({ ...NO_CHECK, phase: 'running' })
    try {
      for await (const event of open(signal)) {
        if (signal.aborted) return null
        setCheck((before) => after(before, event))
      }
      if (!signal.aborted) setCheck(ended)
      return null
    } catch (error) {
      if (signal.aborted) return null
      setCheck(
        isSignedOut(error) ? NO_CHECK : { ...NO_CHECK, phase: 'refused', error: error as Error },
      )
      return error as Error
    }
  }
  const cancel = () => {
    stop.current?.abort()
    setCheck((before) => ({ ...before, phase: 'cancelled' }))
  }
  return { check, run, cancel }
}

function after(check: Check, event: CheckEvent): Check {
  if (event.name === 'began') return { ...check, began: event.stage }
  if (event.name === 'result') {
    return { ...check, phase: 'done', began: null, result: event.result }
  }
  return { ...check, began: null, stages: [...check.stages, event.stage] }
}

const ended = (check: Check): Check =>
  check.result === null ? { ...NO_CHECK, phase: 'refused', error: new Removed() } : check
