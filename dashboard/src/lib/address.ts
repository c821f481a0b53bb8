// What an address that somebody pasted says by itself.
import type { Kind } from '#/api/types'

// What JDBC, and Celery, put before an address: it says nothing more.
const PREFIX = /^(jdbc:|db\+|sqla\+)/
const SCHEME = /^([a-z][a-z0-9+.-]*):\/\//i
const LONGEST_NAME = 200

type Schemes = Pick<Kind, 'name' | 'schemes'>

/** Return the scheme in lower case, null where the text is no address. */
export const schemeOf = (url: string): string | null =>
  SCHEME.exec(url.trim().replace(PREFIX, ''))?.[1]?.toLowerCase() ?? null

/** Return the kind that an address means, null where none of them takes it. */
export function kindOf<T extends Schemes>(url: string, kinds: readonly T[]): T | null {
  const scheme = schemeOf(url)
  if (scheme === null) return null
  const [family = ''] = scheme.split('+')
  for (const spelling of [scheme, family]) {
    const found = kinds.find((kind) => takes(kind, spelling))
    if (found !== undefined) return found
  }
  return null
}

const takes = (kind: Schemes, scheme: string): boolean =>
  kind.schemes.some((each) =>
    each.endsWith('+*') ? scheme.startsWith(each.slice(0, -1)) : each === scheme,
  )

/**
 * Return a name for what an address leads to, '' where it says none. A name is no secret, so nothing of a
 * login may get into it, not even of one whose password has a / or ? in it that should be encoded.
 */
export function suggestedName(url: string): string {
  const rest = url.trim().replace(PREFIX, '').replace(SCHEME, '')
  if (rest === url.trim() || /\s/.test(rest)) return ''
  const place = rest.slice(rest.lastIndexOf('@') + 1).replace(/[?#&;].*$/, '')
  const [host = '', ...path] = place.split('/').filter((part) => part !== '')
  const name = host.replace(/:\d+$/, '')
  // Half typed, `user:password` stands where the host will be.
  if (name.includes(':') && !name.startsWith('[')) return ''
  if (place.startsWith('/')) return (path.at(-1) ?? host).slice(0, LONGEST_NAME)
  return [name, ...path].join('/').slice(0, LONGEST_NAME)
}

const HIDDEN = '•••'
const SECRET_PART = /([?&;][^=&;#]*(?:pass|pwd|secret|token|key)[^=&;#]*=)[^&;#]+/gi

/**
 * Return an address to look at, its password and what its query calls a secret hidden. The password goes
 * up to the last @: one that has a / or an @ in it is hidden as a whole.
 */
export function withoutPassword(url: string): string {
  return url
    .replace(/^(\s*[a-z][a-z0-9+.-]*:\/\/[^:@/?#\s[]*:).+@/i, `$1${HIDDEN}@`)
    .replace(SECRET_PART, `$1${HIDDEN}`)
}

/** Return the parts of an address, each with where it begins: after them it may go on in another line. */
export function pieces(address: string): { at: number; text: string }[] {
  let at = 0
  return (address.match(/[^/@?&,]*[/@?&,]*/g) ?? [])
    .filter((text) => text !== '')
    .map((text) => {
      const piece = { at, text }
      at += text.length
      return piece
    })
}
