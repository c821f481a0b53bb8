import { describe, expect, it } from 'vitest'

import { Unreachable } from '#/api/problem'
import { events, type ServerEvent } from '#/api/sse'

import { Script } from '../stream'

async function all(response: Response): Promise<ServerEvent[]> {
  const found: ServerEvent[] = []
  for await (const event of events(response)) found.push(event)
  return found
}

describe('events', () => {
  it('reads each event, whatever the line ends and with or without a name', async () => {
    const script = new Script()
    script.write(': hello\nretry: 2000\n\nid: 7\nevent: rows\ndata: {"a":1}\n\n')
    script.write('data: one\r\ndata:two\r\n\r\n')
    script.end()
    expect(await all(script.response)).toEqual([
      { event: 'rows', data: '{"a":1}' },
      { event: 'message', data: 'one\ntwo' },
    ])
  })

  it('puts an event together that came in pieces, cut within a character too', async () => {
    const script = new Script()
    const whole = new TextEncoder().encode('event: rows\ndata: Grüße, 安全\n\n')
    for (const byte of whole) script.write(new Uint8Array([byte]))
    script.end()
    expect(await all(script.response)).toEqual([{ event: 'rows', data: 'Grüße, 安全' }])
  })

  it('leaves out an event whose end did not come', async () => {
    const script = new Script()
    script.write('data: whole\n\ndata: half')
    script.end()
    expect((await all(script.response)).map(({ data }) => data)).toEqual(['whole'])
  })

  it('says that the server cannot be reached where the connection breaks', async () => {
    const script = new Script()
    script.break(new TypeError('network error'))
    await expect(all(script.response)).rejects.toBeInstanceOf(Unreachable)
  })

  it('closes the stream when its reader leaves', async () => {
    const script = new Script()
    script.write('data: 1\n\n')
    for await (const _ of events(script.response)) break
    expect(script.closed).toBe(true)
  })
})
