import type { components } from './schema'

export type Problem = components['schemas']['ProblemAnswer']

/** An answer of the API that is an error, with the words and the fields that it names. */
export class ApiError extends Error {
  readonly status: number
  readonly errors: Problem['errors']

  constructor(problem: Pick<Problem, 'status' | 'detail' | 'errors'>) {
    super(problem.detail)
    this.name = 'ApiError'
    this.status = problem.status
    this.errors = problem.errors
  }

  /** What the API says of one field, in its own words; undefined where it says nothing of it. */
  of(field: string): string | undefined {
    const said = this.errors.filter((each) => each.field === field).map((each) => each.message)
    return said.length > 0 ? said.join(' ') : undefined
  }
}

/** Nobody is signed in any more. Who looks is asked to sign in, over the page: no more is said of it. */
export const isSignedOut = (error: unknown): boolean =>
  error instanceof ApiError && error.status === 401

/** The server did not answer at all: it is stopped, or the network between is cut. */
export class Unreachable extends Error {
  constructor() {
    super('Mooring did not answer. Is the server running?')
    this.name = 'Unreachable'
  }
}
