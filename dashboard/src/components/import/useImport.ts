import { useQueryClient } from '@tanstack/react-query'
import { useEffect, useReducer, useRef, useState } from 'react'

import { openCheck } from '#/api/check'
import { data } from '#/api/client'
import { useApi } from '#/api/context'
import { isSignedOut } from '#/api/problem'
import { keys } from '#/api/queries'
import type { Found, SavedTarget, TargetInput } from '#/api/types'
import { aFewAtOnce, pickedOf, type Row, stepped } from '#/lib/importing'

const AT_ONCE = 4
const NO_ROWS: readonly Row[] = []

/** Finds addresses in a text, tests them side by side, and saves those that are picked. */
export function useImport() {
  const api = useApi()
  const cache = useQueryClient()
  const [rows, step] = useReducer(stepped, NO_ROWS)
  const [notes, setNotes] = useState<readonly string[]>([])
  const [looked, setLooked] = useState(false)
  const [busy, setBusy] = useState<'no' | 'finding' | 'testing' | 'saving'>('no')
  const [mistake, setMistake] = useState<Error | null>(null)
  const stop = useRef<AbortController | null>(null)
  useEffect(() => () => stop.current?.abort(), [])

  const find = async (text: string) => {
    stop.current?.abort()
    setBusy('finding')
    setMistake(null)
    try {
      const found = await data<{ items: unknown; notes: readonly string[] }>(
        api.client.POST('/api/v1/discover', { body: { text } }),
      )
      step({ is: 'found', items: found.items as readonly Found[] })
      setNotes(found.notes)
      setLooked(true)
    } catch (error) {
      setMistake(error as Error)
    }
    setBusy('no')
  }

  const cancel = () => {
    stop.current?.abort()
    step({ is: 'cancelled' })
  }

  const testOne = async ({ id, name, found }: Row, signal: AbortSignal) => {
    step({ is: 'tested', id, test: { phase: 'running', stage: null } })
    try {
      for await (const event of openCheck(api, { found: found.found, name }, signal)) {
        if (event.name === 'result') {
          step({ is: 'tested', id, test: { phase: 'done', result: event.result } })
        } else if (event.name === 'stage' && !signal.aborted) {
          step({ is: 'tested', id, test: { phase: 'running', stage: event.stage.name } })
        }
      }
    } catch (error) {
      if (isSignedOut(error)) cancel()
      else if (!signal.aborted)
        step({ is: 'tested', id, test: { phase: 'refused', error: error as Error } })
    }
  }

  const test = async () => {
    const picked = pickedOf(rows)
    const { signal } = (stop.current = new AbortController())
    setBusy('testing')
    for (const { id } of picked) step({ is: 'tested', id, test: { phase: 'waiting' } })
    await aFewAtOnce(picked, AT_ONCE, signal, (row) => testOne(row, signal))
    setBusy('no')
  }

  const saveOne = async ({ id, name, found }: Row, halt: AbortController) => {
    step({ is: 'saving', id })
    try {
      const body = { found: found.found, name } as TargetInput
      const call = api.client.POST('/api/v1/targets', { body })
      const saved = await data(call as Promise<{ data?: unknown }>)
      step({ is: 'saved', id, as: (saved as SavedTarget).id })
    } catch (error) {
      const ended = isSignedOut(error)
      if (ended) halt.abort()
      step({ is: 'notSaved', id, mistake: ended ? null : (error as Error) })
    }
  }

  const save = async () => {
    setBusy('saving')
    // One after the other: of two with the same name the second is told so.
    const halt = new AbortController()
    await aFewAtOnce(pickedOf(rows), 1, halt.signal, (row) => saveOne(row, halt))
    void cache.invalidateQueries({ queryKey: keys.overview })
    setBusy('no')
  }

  return { rows, notes, looked, busy, mistake, step, find, test, cancel, save }
}

export type Import = ReturnType<typeof useImport>
