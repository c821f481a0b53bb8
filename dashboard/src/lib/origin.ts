import type { Target } from '#/api/types'

type Owned = Pick<Target, 'name' | 'origin' | 'labels'>

/** The label of Mooring's own parts and of its example, which stand in no file. */
const OWN = 'mooring'

export const comesWithMooring = ({ labels }: Pick<Owned, 'labels'>): boolean => OWN in labels

/** Where it is changed, for a target that is not changed here; null for one that is. */
export function elsewhere(target: Owned): string | null {
  if (target.origin !== 'file') return null
  return comesWithMooring(target) ? 'comes with Mooring' : 'edited in mooring.toml'
}

/** The same as a sentence, in the API's words. */
export const whyLocked = (target: Owned): string =>
  comesWithMooring(target)
    ? `${target.name} comes with Mooring itself, and cannot be changed.`
    : `${target.name} belongs to the configuration file: change it there.`
