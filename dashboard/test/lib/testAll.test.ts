import { describe, expect, it, vi } from 'vitest'

import type { Failure } from '#/api/types'
import { report, reportName } from '#/lib/report'
import { type CheckEvent, CHUNK, progressWords, TestRun, whatFailed } from '#/lib/testAll'

import { aFailure, aResult, aResultOf } from '../values'

type Stage = NonNullable<Failure['stage']>
type Reason = Failure['reason']

const words = (error: unknown) => (error instanceof Error ? error.message : 'unknown')

async function* events(...list: CheckEvent[]): AsyncGenerator<CheckEvent> {
  await Promise.resolve()
  yield* list
}

const ids = (count: number) => Array.from({ length: count }, (_, index) => index + 1)

describe('a run over many targets', () => {
  it('counts the results and keeps those that are not up', async () => {
    const run = new TestRun(
      ids(3),
      () =>
        events(
          { name: 'other' },
          { name: 'result', result: aResultOf(1) },
          { name: 'result', result: aResultOf(2, { status: 'down' }) },
          { name: 'result', result: aResultOf(3, { status: 'degraded' }) },
          { name: 'done' },
        ),
      words,
    )
    await run.start()
    const done = run.snapshot()
    expect(done.phase).toBe('done')
    expect(done.failing.map((each) => each.target.id)).toEqual([2, 3])
    expect(progressWords(done)).toBe('3 of 3 tested: 1 up, 1 degraded, 1 down')
  })

  it('asks for as many as an address can hold at a time', async () => {
    const asked: number[] = []
    const run = new TestRun(
      ids(CHUNK + 1),
      (some) => {
        asked.push(some.length)
        return events({ name: 'done' })
      },
      words,
    )
    await run.start()
    expect(asked).toEqual([CHUNK, 1])
  })

  it('counts as the server does, where something was paused or removed meanwhile', async () => {
    const run = new TestRun(
      ids(3),
      async function* () {
        yield* events(
          { name: 'started', total: 1, paused: 1 },
          { name: 'result', result: aResultOf(1) },
        )
        throw new Error('cut')
      },
      words,
      2,
    )
    expect(run.snapshot()).toMatchObject({ total: 3, paused: 2 })
    await run.start()
    expect(run.snapshot()).toMatchObject({ total: 1, paused: 3 })
  })

  it('tells that the stream broke off, and keeps what was there', async () => {
    const run = new TestRun(ids(2), () => events({ name: 'result', result: aResultOf(1) }), words)
    await run.start()
    expect(run.snapshot()).toMatchObject({
      phase: 'broken',
      total: 2,
      mistake: 'The connection to Mooring broke before all results were there.',
    })
    expect(run.snapshot().results).toHaveLength(1)
  })

  it('closes the stream when it is cancelled', async () => {
    let closed = false
    async function* endless(signal: AbortSignal): AsyncGenerator<CheckEvent> {
      yield { name: 'result', result: aResultOf(1) }
      await new Promise((_, reject) => {
        signal.addEventListener('abort', () => {
          closed = true
          reject(new DOMException('', 'AbortError'))
        })
      })
    }
    const run = new TestRun(ids(2), (_, signal) => endless(signal), words)
    const running = run.start()
    await new Promise<void>((heard) => void run.subscribe(heard))
    run.cancel()
    await running
    expect(closed).toBe(true)
    expect(run.snapshot().phase).toBe('cancelled')
    expect(run.snapshot().results).toHaveLength(1)
  })

  it('tells a thousand results in a few steps', async () => {
    vi.useFakeTimers()
    const run = new TestRun(
      ids(400),
      () =>
        events(...ids(400).map((id) => ({ name: 'result', result: aResultOf(id) }) as const), {
          name: 'done',
        }),
      words,
    )
    const heard = vi.fn<() => void>()
    run.subscribe(heard)
    await run.start()
    vi.useRealTimers()
    expect(heard).toHaveBeenCalledTimes(1)
    expect(run.snapshot().results).toHaveLength(400)
  })
})

describe('the report', () => {
  it('has the shape of every other interface', () => {
    const results = [aResultOf(1), aResultOf(2, { status: 'down' })]
    expect(report({ phase: 'done', total: 2, results, paused: 4 })).toEqual({
      complete: true,
      tested: 2,
      of: 2,
      summary: { up: 1, degraded: 0, down: 1, unknown: 0, paused: 4 },
      results,
    })
  })

  it.each(['cancelled', 'broken'])('says of a run that was %s that it is not complete', (phase) => {
    const results = [aResultOf(1)]
    const { complete, tested, of } = report({ phase, total: 64, results, paused: 0 })
    expect({ complete, tested, of }).toEqual({ complete: false, tested: 1, of: 64 })
  })

  it('has a name that sorts by time', () => {
    expect(reportName(new Date('2026-01-02T03:04:05.678Z'))).toBe(
      'mooring-report-2026-01-02T030405Z.json',
    )
  })
})

describe('what failed', () => {
  const failing = (kind: string, stage: Stage | null, reason: Reason) =>
    whatFailed(
      aResult({
        target: { id: 1, name: 'a', kind, address: '' },
        failure: aFailure({ stage, reason }),
      }),
    )

  it('says kind, stage and reason, and no word twice', () => {
    expect(failing('postgresql', 'tcp', 'refused')).toEqual(['postgresql', 'tcp: refused'])
    expect(failing('tcp', 'tcp', 'refused')).toEqual(['tcp: refused'])
    expect(failing('redis', 'auth', 'auth')).toEqual(['redis', 'auth'])
    expect(failing('dns', 'dns', 'dns')).toEqual(['dns'])
    expect(failing('redis', null, 'not_found')).toEqual(['redis', 'not found before any stage'])
  })

  it('is only a kind where nothing did', () => {
    expect(whatFailed(aResult({ failure: null }))).toEqual(['postgresql'])
  })
})
