/** A text/event-stream answer that a test writes as it goes. */
export class Script {
  #controller: ReadableStreamDefaultController<Uint8Array> | undefined
  closed = false
  readonly response: Response

  constructor(signal?: AbortSignal) {
    const body = new ReadableStream<Uint8Array>({
      start: (controller) => {
        this.#controller = controller
      },
      cancel: () => {
        this.closed = true
      },
    })
    this.response = new Response(body, { headers: { 'Content-Type': 'text/event-stream' } })
    signal?.addEventListener('abort', () => this.break(signal.reason as Error))
  }

  send(event: string, data: unknown): void {
    this.write(`event: ${event}\ndata: ${JSON.stringify(data)}\n\n`)
  }

  write(text: string | Uint8Array): void {
    const bytes = typeof text === 'string' ? new TextEncoder().encode(text) : text
    this.#controller?.enqueue(bytes)
  }

  end(): void {
    this.#controller?.close()
  }

  break(error: Error): void {
    this.closed = true
    this.#controller?.error(error)
  }
}
