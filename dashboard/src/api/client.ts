import createClient from 'openapi-fetch'

import { Clock } from '#/lib/clock'

import { ApiError, type Problem, Unreachable } from './problem'
import type { paths } from './schema'

/** Where the API lies: below <base href>, which the server sets to its base path. */
export const apiUrl = (path: string): string =>
  new URL(path.replace(/^\//, ''), document.baseURI).toString()

/** Not signed in, and not allowed: also where another tab has signed in as somebody else. */
const TURNED_AWAY: ReadonlySet<number> = new Set([401, 403])
const isSession = ({ url }: Request): boolean => url === apiUrl('api/v1/session')

export class Api {
  /** Of the session; goes with each request that changes something. Null with no session. */
  csrf: string | null = null
  /** The server's time, as its answers tell it. */
  readonly clock = new Clock()
  readonly client
  /** Told of each request that is turned away: who is signed in may be another now, or nobody. */
  turnedAway: () => void = () => undefined

  constructor() {
    this.client = createClient<paths>({
      baseUrl: apiUrl('').replace(/\/$/, ''),
      fetch: (request) => this.fetch(request),
    })
  }

  /** Go on as another session; null: as nobody. */
  enter(csrf: string | null): void {
    this.csrf = csrf
  }

  /** Fetch as the signed-in user. Raises Unreachable, and ApiError for every error the API answers. */
  async fetch(request: Request): Promise<Response> {
    if (this.csrf !== null && request.method !== 'GET') {
      request.headers.set('X-CSRF-Token', this.csrf)
    }
    let response: Response
    try {
      response = await fetch(request)
    } catch (error) {
      if (request.signal.aborted) throw error
      throw new Unreachable()
    }
    this.clock.heed(response.headers.get('date'), true)
    if (TURNED_AWAY.has(response.status) && !isSession(request)) this.turnedAway()
    if (!response.ok) throw new ApiError(await problemOf(response))
    return response
  }
}

async function problemOf(
  response: Response,
): Promise<Pick<Problem, 'status' | 'detail' | 'errors'>> {
  const text = await response.text()
  try {
    const said = JSON.parse(text) as Partial<Problem>
    if (typeof said.detail === 'string') {
      return { status: response.status, detail: said.detail, errors: said.errors ?? [] }
    }
  } catch {
    // A proxy in between speaks HTML: say its status.
  }
  const detail = `The server answered ${response.status} ${response.statusText}.`
  return { status: response.status, detail, errors: [] }
}

/** The data of a call of `client`: errors were raised by `fetch`, so it is there. */
export async function data<T>(call: Promise<{ data?: T }>): Promise<T> {
  return (await call).data as T
}
