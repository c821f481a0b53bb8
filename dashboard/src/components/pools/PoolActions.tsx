import { Button, Group, Menu } from '@mantine/core'
import { IconDownload } from '@tabler/icons-react'

import { apiUrl } from '#/api/client'
import { useMay } from '#/api/context'
import type { Pool } from '#/api/types'

import { usePoolWindow, WINDOW_WORD } from './usePoolWindow'
import { WishButton } from './WishButton'

/** What the signed-in role may do with a pool; the rest is not shown. */
export function PoolActions({ pool }: { pool: Pool }) {
  const may = useMay()
  return (
    <Group gap="xs">
      {may.edit && (
        <>
          <WishButton pool={pool} wish="cleanup" />
          <WishButton pool={pool} wish="reset" />
          <WishButton key={String(pool.active)} pool={pool} wish={pool.active ? 'stop' : 'start'} />
        </>
      )}
      <Export pool={pool} />
    </Group>
  )
}

/** The same as files; the browser sends the session along. */
function Export({ pool }: { pool: Pool }) {
  const [window] = usePoolWindow()
  const at = `api/v1/pools/${pool.id}`
  const name = `${pool.service}-${pool.name}`.replaceAll(/[^\w.-]+/g, '-')
  return (
    <Menu position="bottom-end" width={260} withInitialFocusPlaceholder={false}>
      <Menu.Target>
        <Button variant="default" leftSection={<IconDownload size={16} aria-hidden="true" />}>
          Export
        </Button>
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.Item component="a" href={apiUrl(at)} download={`${name}.json`}>
          JSON: this pool as it stands
        </Menu.Item>
        <Menu.Item
          component="a"
          href={apiUrl(`${at}/history?window=${window}&format=csv`)}
          download={`${name}-${window}.csv`}
        >
          CSV: its last {WINDOW_WORD[window]}
        </Menu.Item>
        <Menu.Item component="a" href={apiUrl('api/v1/pools?format=csv')} download="pools.csv">
          CSV: all pools as they stand
        </Menu.Item>
        <Menu.Item component="a" href={apiUrl('metrics')} target="_blank" rel="noreferrer">
          Prometheus: all metrics
        </Menu.Item>
      </Menu.Dropdown>
    </Menu>
  )
}
