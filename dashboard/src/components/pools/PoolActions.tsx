import { Group } from '@mantine/core'

import { useMay } from '#/api/context'
import type { Pool } from '#/api/types'
import { FIT, type PoolWindow, WINDOW_WORD } from '#/lib/window'

import { ExportMenu, METRICS } from './ExportMenu'
import { WishButton } from './WishButton'

interface PoolActionsProps {
  pool: Pool
  /** The one that is shown; null while that is not known. */
  window: PoolWindow | null
}

/** What the signed-in role may do with a pool; the rest is not shown. */
export function PoolActions({ pool, window }: PoolActionsProps) {
  const may = useMay()
  const path = `api/v1/pools/${pool.id}`
  const name = `${pool.service}-${pool.name}`
  return (
    <Group gap="xs">
      {may.edit && (
        <>
          <WishButton pool={pool} wish="cleanup" />
          <WishButton pool={pool} wish="reset" />
          <WishButton key={String(pool.active)} pool={pool} wish={pool.active ? 'stop' : 'start'} />
        </>
      )}
      <ExportMenu
        files={[
          { words: 'JSON: this pool as it stands', path, name: `${name}.json` },
          {
            words: window === null ? 'CSV: its past' : `CSV: its last ${WINDOW_WORD[window]}`,
            path: `${path}/history?window=${window ?? FIT}&format=csv`,
            name: `${name}-${window ?? 'past'}.csv`,
          },
          METRICS,
        ]}
      />
    </Group>
  )
}
