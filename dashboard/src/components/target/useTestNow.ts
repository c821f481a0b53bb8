import { useQueryClient } from '@tanstack/react-query'
import { useEffect, useRef, useState } from 'react'

import { openCheckOf } from '#/api/check'
import { useApi } from '#/api/context'
import { isSignedOut } from '#/api/problem'
import { keys } from '#/api/queries'

import type { Result, StageResult } from '#/api/types'

import { pastKey } from './queries'

export interface Test {
  phase: 'idle' | 'running' | 'cancelled' | 'broken'
  /** What has passed so far. */
  seen: readonly StageResult[]
  /** The newest result of a test of this page's. */
  result: Result | null
  error: Error | null
}

const IDLE: Test = { phase: 'idle', seen: [], result: null, error: null }

/** Test a target now, stage by stage. Leaving the page cancels, and so does `cancel`; `id` stays the same. */
export function useTestNow(id: number) {
  const api = useApi()
  const cache = useQueryClient()
  const [test, setTest] = useState(IDLE)
  const stop = useRef<AbortController | null>(null)
  useEffect(() => () => stop.current?.abort(), [])
  const start = async () => {
    const mine = new AbortController()
    stop.current?.abort()
    stop.current = mine
    setTest({ ...IDLE, phase: 'running' })
    try {
      for await (const event of openCheckOf(api, id, mine.signal)) {
        if (mine.signal.aborted) return
        if (event.name === 'stage') {
          setTest((before) => ({ ...before, seen: [...before.seen, event.stage] }))
        } else {
          setTest((before) => ({ ...before, result: event.result }))
        }
      }
      if (mine.signal.aborted) return
      setTest((before) => ended(before))
    } catch (error) {
      if (mine.signal.aborted) return
      if (isSignedOut(error)) return setTest(IDLE)
      setTest({ ...IDLE, phase: 'broken', error: error as Error })
    }
    void cache.invalidateQueries({ queryKey: keys.target(id) })
    void cache.invalidateQueries({ queryKey: pastKey(id) })
  }
  const cancel = () => {
    stop.current?.abort()
    setTest({ ...IDLE, phase: 'cancelled' })
  }
  return { test, start: () => void start(), cancel }
}

/** A stream that ends without a result: the server stopped, or the target was removed meanwhile. */
function ended(test: Test): Test {
  if (test.result !== null) return { ...test, phase: 'idle', seen: [] }
  const error = new Error('The test ended without a result: the server stopped it.')
  return { ...IDLE, phase: 'broken', error }
}
