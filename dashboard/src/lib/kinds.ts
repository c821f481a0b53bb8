import type { Kind } from '#/api/types'

/** How a kind comes to know what it tells: what the list of kinds is grouped by. */
type Way = 'asks' | 'reads' | 'hears'

const WAY_WORDS: Record<Way, string> = {
  asks: 'Asks it over the network',
  hears: 'Waits for it to report',
  reads: "Reads the server's own machine",
}
const ORDER: readonly Way[] = ['asks', 'hears', 'reads']

const wayOf = (kind: Pick<Kind, 'local' | 'passive'>): Way =>
  kind.passive ? 'hears' : kind.local ? 'reads' : 'asks'

interface Grouped<K> {
  way: Way
  words: string
  of: K[]
}

/** Return the kinds by how they work, those that most people look for first. */
export const groupsOf = <K extends Pick<Kind, 'local' | 'passive'>>(
  kinds: readonly K[],
): Grouped<K>[] =>
  ORDER.map((way) => ({
    way,
    words: WAY_WORDS[way],
    of: kinds.filter((kind) => wayOf(kind) === way),
  })).filter((group) => group.of.length > 0)

/** Return a kind's headline in two: what it is, and what a check does. */
export function describedKind(kind: Pick<Kind, 'name' | 'title'>): {
  title: string
  about: string
} {
  const [title = '', ...rest] = kind.title.split(': ')
  const about = rest.join(': ')
  if (about === '') return { title: kind.name, about: kind.title }
  return { title, about: about.charAt(0).toUpperCase() + about.slice(1) }
}

/** Return the kinds that all words of a search are about. */
export function searched<K extends Pick<Kind, 'name' | 'title' | 'schemes'>>(
  kinds: readonly K[],
  search: string,
): K[] {
  const words = search.toLowerCase().split(/\s+/).filter(Boolean)
  return kinds.filter((kind) => {
    const text = [kind.name, kind.title, ...kind.schemes.map((each) => `${each}://`)]
      .join(' ')
      .toLowerCase()
    return words.every((word) => text.includes(word))
  })
}
