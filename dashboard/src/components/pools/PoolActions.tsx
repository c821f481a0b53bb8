import { Group } from '@mantine/core'

import { useMay } from '#/api/context'
import type { Pool } from '#/api/types'
import { useWindow } from '#/components/past/useWindow'
import { POOL_WINDOWS, WINDOW_WORD } from '#/lib/window'

import { ExportMenu, METRICS } from './ExportMenu'
import { WishButton } from './WishButton'

/** What the signed-in role may do with a pool; the rest is not shown. */
export function PoolActions({ pool }: { pool: Pool }) {
  const may = useMay()
  const [window] = useWindow(POOL_WINDOWS)
  const path = `api/v1/pools/${pool.id}`
  const name = `${pool.service}-${pool.name}`.replaceAll(/[^\w.-]+/g, '-')
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
            words: `CSV: its last ${WINDOW_WORD[window]}`,
            path: `${path}/history?window=${window}&format=csv`,
            name: `${name}-${window}.csv`,
          },
          METRICS,
        ]}
      />
    </Group>
  )
}
