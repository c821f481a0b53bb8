import { Unreachable } from './problem'

/** One server-sent event. */
export interface ServerEvent {
  readonly event: string
  readonly data: string
}

/**
 * Read a text/event-stream answer, whatever its method was: the browser's EventSource can only GET.
 * Ends where the stream does. Raises Unreachable where the connection breaks, and what an aborted
 * fetch raises. Leaving the loop closes the stream.
 */
export async function* events(response: Response): AsyncGenerator<ServerEvent, void, undefined> {
  if (response.body === null) return
  const reader = response.body.getReader()
  const decoder = new TextDecoder()
  const parser = new Parser()
  try {
    for (;;) {
      const { done, value } = await read(reader) // oxlint-disable-line no-await-in-loop -- piece after piece
      if (done) return
      yield* parser.push(decoder.decode(value, { stream: true }))
    }
  } finally {
    // Not awaited: a connection that hangs would hold whoever leaves.
    reader.cancel().catch(() => undefined)
  }
}

async function read(reader: ReadableStreamDefaultReader<Uint8Array>) {
  try {
    return await reader.read()
  } catch (error) {
    if (error instanceof Error && error.name === 'AbortError') throw error
    throw new Unreachable()
  }
}

/** Puts lines together to events, wherever the pieces were cut. */
class Parser {
  #rest = ''
  #event = ''
  #data: string[] = [];

  *push(piece: string): Generator<ServerEvent, void, undefined> {
    // What is left from before holds no line's end: it is not searched again, however long it gets.
    const from = this.#rest.length
    this.#rest += piece
    let start = 0
    for (
      let end = this.#rest.indexOf('\n', from);
      end !== -1;
      end = this.#rest.indexOf('\n', start)
    ) {
      const line = this.#rest.slice(start, end)
      const whole = this.#line(line.endsWith('\r') ? line.slice(0, -1) : line)
      if (whole !== null) yield whole
      start = end + 1
    }
    this.#rest = this.#rest.slice(start)
  }

  #line(line: string): ServerEvent | null {
    if (line === '') return this.#take()
    const colon = line.indexOf(':')
    if (colon === 0) return null // a comment, which keeps the connection
    const name = colon === -1 ? line : line.slice(0, colon)
    const value = colon === -1 ? '' : line.slice(colon + (line[colon + 1] === ' ' ? 2 : 1))
    if (name === 'event') this.#event = value
    else if (name === 'data') this.#data.push(value)
    return null
  }

  #take(): ServerEvent | null {
    const data = this.#data
    const event = this.#event || 'message'
    this.#event = ''
    this.#data = []
    return data.length === 0 ? null : { event, data: data.join('\n') }
  }
}
