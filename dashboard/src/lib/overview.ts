import type { Overview, OverviewRow } from '#/api/types'

import { countShown, STATUSES } from './status'

/** What has changed since an overview was read. */
export interface Changes {
  readonly revision: number
  readonly rows: ReadonlyMap<number, OverviewRow>
  readonly removed: ReadonlySet<number>
}

/**
 * Puts changes into an overview without looking at the rows that stay: with 10,000 of them, and
 * hundreds of changes a second, that is what counts. Rows that stay are the same objects as before.
 */
export class Merger {
  #targets: readonly OverviewRow[] | null = null
  #places = new Map<number, number>()

  merge(overview: Overview, changes: Changes): Overview {
    const made = this.#changed(overview.targets, changes)
    this.#targets = made
    const { removed } = changes
    const targets = removed.size === 0 ? made : made.filter(({ id }) => !removed.has(id))
    const revision = Math.max(overview.revision, changes.revision)
    return { ...overview, ...standing(targets), targets, revision }
  }

  #changed(targets: readonly OverviewRow[], { rows, removed }: Changes): OverviewRow[] {
    const places = this.#index(targets)
    const made = targets.slice()
    for (const [id, row] of rows) {
      if (removed.has(id)) continue
      const place = places.get(id)
      if (place === undefined) places.set(id, made.push(row) - 1)
      else made[place] = row
    }
    return made
  }

  /** Where each row stands. Made anew only where the list is not the one that was made last. */
  #index(targets: readonly OverviewRow[]): Map<number, number> {
    if (targets !== this.#targets) {
      this.#places = new Map(targets.map(({ id }, place) => [id, place]))
    }
    return this.#places
  }
}

/** How many there are of each, and the worst, as the API counts them. */
export function standing(targets: readonly OverviewRow[]): Pick<Overview, 'status' | 'summary'> {
  const summary = countShown(targets)
  return { summary, status: STATUSES.find((status) => summary[status] > 0) ?? 'unknown' }
}
