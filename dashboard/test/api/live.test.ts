import { QueryClient, QueryObserver } from '@tanstack/react-query'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'

import { Api } from '#/api/client'
import { Live } from '#/api/live'
import { Unreachable } from '#/api/problem'
import { keys, overviewQuery } from '#/api/queries'
import type { Overview, OverviewRow, Transition } from '#/api/types'

import { Script } from '../stream'
import { anOverview, aRowOf, aTransition } from '../values'

const AT = Date.parse('2026-01-02T03:04:05Z')
const { monitoring } = anOverview([])

/** A server that a test scripts: each stream that was opened, and what the overview answers next. */
class Server {
  readonly streams: Script[] = []
  asked = 0
  answer: () => Promise<Overview> = () => Promise.resolve(anOverview([aRowOf(1), aRowOf(2)]))
  refuse: Error | null = null
  readonly api = new Api()
  readonly cache = new QueryClient({ defaultOptions: { queries: { retry: false } } })
  readonly live = new Live(this.api, this.cache)

  constructor() {
    this.api.fetch = async (request) => {
      if (this.refuse !== null) throw this.refuse
      if (request.url.includes('/events')) {
        const script = new Script(request.signal)
        this.streams.push(script)
        return script.response
      }
      if (request.url.includes('/session')) throw new Unreachable()
      this.asked += 1
      return Response.json(await this.answer())
    }
  }

  get stream(): Script {
    const stream = this.streams.at(-1)
    if (stream === undefined) throw new Error('no stream was opened')
    return stream
  }

  get shown(): Overview {
    const shown = this.cache.getQueryData<Overview>(keys.overview)
    if (shown === undefined) throw new Error('no overview was read')
    return shown
  }

  state(revision = 1, now = new Date().toISOString()): void {
    this.stream.send('state', { revision, now, status: 'up', summary: {}, monitoring })
  }

  rows(revision: number, rows: OverviewRow[], more: object = {}): void {
    this.stream.send('rows', { revision, rows, removed: [], transitions: [], ...more })
  }

  /** Open, and come to be live. */
  async begin(): Promise<void> {
    this.live.open()
    await tick()
    this.state()
    await tick()
    expect(this.live.state.phase).toBe('live')
  }
}

const tick = (ms = 250) => vi.advanceTimersByTimeAsync(ms)
const names = (server: Server) => server.shown.targets.map(({ name }) => name)

let server: Server

beforeEach(() => {
  vi.useFakeTimers({ now: AT })
  vi.spyOn(Math, 'random').mockReturnValue(1)
  server = new Server()
})

afterEach(() => {
  server.live.close()
  server.cache.clear()
  vi.useRealTimers()
  vi.restoreAllMocks()
})

describe('the live feed', () => {
  it('is connecting until the overview is there, then live', async () => {
    server.live.open()
    await tick()
    expect(server.live.state).toEqual({ phase: 'connecting', since: null })
    server.state()
    await tick()
    expect(server.live.state).toEqual({ phase: 'live', since: null })
    expect(names(server)).toEqual(['t1', 't2'])
  })

  it('reads an overview once more that is older than the stream', async () => {
    server.live.open()
    await tick()
    server.state(5)
    await tick()
    expect(server.asked).toBe(2)
  })

  it('makes do with what the page has read where nothing was committed in between', async () => {
    await server.cache.fetchQuery(overviewQuery(server.api))
    await server.begin()
    expect(server.asked).toBe(1)
  })

  it('takes over what came while the overview was read, and nothing older than it', async () => {
    let answer: (overview: Overview) => void = () => undefined
    server.answer = () => new Promise((resolve) => (answer = resolve))
    server.live.open()
    await tick()
    server.state()
    server.rows(1, [aRowOf(1, { name: 'old' })])
    server.rows(2, [aRowOf(1, { name: 'same' })])
    server.rows(3, [aRowOf(2, { name: 'newer' })])
    await tick()
    answer(anOverview([aRowOf(1), aRowOf(2)], { revision: 2 }))
    await tick()
    expect(names(server)).toEqual(['same', 'newer'])
    expect(server.shown.revision).toBe(3)
  })

  it('changes, adds and removes rows, and counts anew', async () => {
    await server.begin()
    const before = server.shown.targets
    server.rows(2, [aRowOf(1, { status: 'down' }), aRowOf(9)], { removed: [2] })
    await tick()
    expect(names(server)).toEqual(['t1', 't9'])
    expect(server.shown.summary).toEqual({ up: 1, degraded: 0, down: 1, unknown: 0, paused: 0 })
    expect(server.shown.status).toBe('down')
    expect(before).toHaveLength(2)
  })

  it('writes a burst to the cache in batches', async () => {
    await server.begin()
    let writes = 0
    const observer = new QueryObserver(server.cache, overviewQuery(server.api))
    const forget = observer.subscribe(() => (writes += 1))
    for (let revision = 2; revision < 502; revision += 1) {
      server.rows(revision, [aRowOf(1, { name: `the ${revision}th` })])
      await tick(2)
    }
    await tick()
    forget()
    expect(names(server)[0]).toBe('the 501th')
    expect(writes).toBeLessThanOrEqual(7)
  })

  it('hands transitions on, and reads anew what is shown of a changed target', async () => {
    await server.begin()
    const heard: Transition[] = []
    server.live.onTransitions((transitions) => heard.push(...transitions))
    const read = vi.fn<() => number>(() => 1)
    const observer = new QueryObserver(server.cache, {
      queryKey: keys.target(1),
      queryFn: read,
      staleTime: Infinity,
    })
    const forget = observer.subscribe(() => undefined)
    await tick()
    const transition = aTransition()
    server.rows(2, [aRowOf(2)])
    await tick()
    expect(read).toHaveBeenCalledTimes(1)
    server.rows(3, [aRowOf(1, { status: 'down' })], { transitions: [transition] })
    await tick()
    forget()
    expect(heard).toEqual([transition])
    expect(read).toHaveBeenCalledTimes(2)
  })

  it('reads the overview anew where some events were missed', async () => {
    await server.begin()
    server.answer = () => Promise.resolve(anOverview([aRowOf(7)], { revision: 40 }))
    server.stream.send('lagged', { revision: 40 })
    await tick()
    expect(names(server)).toEqual(['t7'])
  })
})

describe('a broken connection', () => {
  it('is told with when it was last heard, and all is read anew after it', async () => {
    await server.begin()
    await tick(4000)
    server.state()
    await tick(1000)
    server.stream.end()
    await tick(10)
    const { state } = server.live
    expect(state.phase).toBe('broken')
    expect(Math.abs((state.since ?? 0) - (Date.now() - 1010))).toBeLessThan(10)
    server.answer = () =>
      Promise.resolve(anOverview([aRowOf(3, { status: 'down' })], { revision: 9 }))
    await tick(1000)
    expect(server.streams).toHaveLength(2)
    expect(server.live.state).toBe(state)
    server.state(9)
    await tick()
    expect(server.live.state.phase).toBe('live')
    expect(names(server)).toEqual(['t3'])
  })

  it('is tried again later and later, up to 15 s', async () => {
    server.refuse = new Unreachable()
    const tries = vi.spyOn(server.api, 'fetch')
    server.live.open()
    await tick(0)
    const waits: number[] = []
    for (let last = Date.now(), seen = tries.mock.calls.length; waits.length < 6;) {
      await tick(100)
      if (tries.mock.calls.length === seen) continue
      waits.push(Math.round((Date.now() - last) / 1000))
      last = Date.now()
      seen = tries.mock.calls.length
    }
    expect(waits).toEqual([1, 2, 4, 8, 15, 15])
    expect(server.live.state.phase).toBe('broken')
  })

  it('is noticed after 12 s of silence, and opened anew at once', async () => {
    await server.begin()
    await tick(11_000)
    expect(server.live.state.phase).toBe('live')
    await tick(2000)
    expect(server.live.state.phase).toBe('broken')
    expect(server.streams).toHaveLength(2)
    expect(server.streams[0]?.closed).toBe(true)
  })

  it('is noticed as soon as the machine wakes', async () => {
    await server.begin()
    vi.setSystemTime(Date.now() + 3_600_000) // the steady clock stood still meanwhile
    document.dispatchEvent(new Event('visibilitychange'))
    await tick(0)
    expect(server.live.state.phase).toBe('broken')
    expect(server.streams).toHaveLength(2)
  })

  it('is tried at once when the network is back', async () => {
    server.refuse = new Unreachable()
    server.live.open()
    await tick(20_000)
    server.refuse = null
    window.dispatchEvent(new Event('online'))
    await tick(0)
    expect(server.streams).toHaveLength(1)
  })

  it('stays broken while the overview cannot be read', async () => {
    await server.begin()
    server.stream.end()
    server.answer = () => Promise.reject(new Unreachable())
    await tick(1100)
    server.state()
    await tick()
    expect(server.live.state.phase).toBe('broken')
  })

  it('is not opened anew once closed', async () => {
    await server.begin()
    server.live.close()
    await tick(60_000)
    expect(server.streams).toHaveLength(1)
    expect(server.stream.closed).toBe(true)
  })
})

describe('the server’s clock', () => {
  it('is followed where this machine’s is 10 minutes off', async () => {
    server.live.open()
    await tick()
    server.state(1, new Date(Date.now() + 600_000).toISOString())
    await tick()
    expect(Math.abs(server.api.clock.now() - Date.now() - 600_000)).toBeLessThan(1000)
  })
})
