import { Button, Menu } from '@mantine/core'
import { IconDownload } from '@tabler/icons-react'

import { apiUrl } from '#/api/client'

interface ExportFile {
  words: string
  /** Below the API's base. */
  path: string
  /** What the file is called; null: it is looked at, in a window of its own. */
  name: string | null
}

/** What Prometheus reads, of all pools. */
export const METRICS: ExportFile = {
  words: 'Prometheus: all metrics',
  path: 'metrics',
  name: null,
}

interface ExportMenuProps {
  files: readonly ExportFile[]
  size?: 'sm' | 'compact-sm'
}

/** Services and pools are called as programs like; files are not. */
const fit = (name: string): string => name.replaceAll(/[^\w.-]+/g, '-')

/** The same as files; the browser sends the session along. */
export function ExportMenu({ files, size = 'sm' }: ExportMenuProps) {
  return (
    <Menu position="bottom-end" width={260} withInitialFocusPlaceholder={false}>
      <Menu.Target>
        <Button
          variant="default"
          size={size}
          leftSection={<IconDownload size={16} aria-hidden="true" />}
        >
          Export
        </Button>
      </Menu.Target>
      <Menu.Dropdown>
        {files.map(({ words, path, name }) => (
          <Menu.Item
            key={words}
            component="a"
            href={apiUrl(path)}
            {...(name === null ? { target: '_blank', rel: 'noreferrer' } : { download: fit(name) })}
          >
            {words}
          </Menu.Item>
        ))}
      </Menu.Dropdown>
    </Menu>
  )
}
