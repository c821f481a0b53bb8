import { Button, Group } from '@mantine/core'
import {
  IconPencil,
  IconPlayerPause,
  IconPlayerPlay,
  IconPlayerStop,
  IconRefresh,
  IconTrash,
  IconUsers,
} from '@tabler/icons-react'
import { useState } from 'react'
import { Link } from 'react-router'

import { useMay } from '#/api/context'
import type { Kind, Target } from '#/api/types'
import { paths } from '#/lib/paths'

import { RemoveDialog } from './RemoveDialog'

interface TargetActionsProps {
  target: Target
  kind: Kind | undefined
  testing: boolean
  onTest: () => void
  onCancel: () => void
  pausing: boolean
  onPause: () => void
}

/** What the signed-in role may do with this target; the rest is not shown. */
export function TargetActions({ target, kind, ...does }: TargetActionsProps) {
  const may = useMay()
  const [removing, setRemoving] = useState(false)
  const editable = may.edit && target.origin !== 'file'
  const Icon = target.enabled ? IconPlayerPause : IconPlayerPlay
  return (
    <Group gap="xs">
      {target.kind === 'pool' && (
        <Button
          component={Link}
          to={paths.pool(target.id)}
          leftSection={<IconUsers size={16} aria-hidden="true" />}
        >
          Who holds it
        </Button>
      )}
      {may.test && kind?.passive !== true && <TestButton {...does} />}
      {editable && (
        <>
          <Button
            variant="default"
            leftSection={<Icon size={16} aria-hidden="true" />}
            loading={does.pausing}
            onClick={does.onPause}
          >
            {target.enabled ? 'Pause' : 'Resume'}
          </Button>
          <Button
            component={Link}
            to={paths.editTarget(target.id)}
            variant="default"
            leftSection={<IconPencil size={16} aria-hidden="true" />}
          >
            Edit
          </Button>
          <Button
            variant="subtle"
            color="red"
            leftSection={<IconTrash size={16} aria-hidden="true" />}
            onClick={() => setRemoving(true)}
          >
            Remove
          </Button>
          <RemoveDialog target={target} opened={removing} onClose={() => setRemoving(false)} />
        </>
      )}
    </Group>
  )
}

function TestButton({
  testing,
  onTest,
  onCancel,
}: Pick<TargetActionsProps, 'testing' | 'onTest' | 'onCancel'>) {
  // One button for both, so that nothing moves and the focus stays where it is.
  const Icon = testing ? IconPlayerStop : IconRefresh
  return (
    <Button
      miw="9rem"
      variant={testing ? 'default' : 'filled'}
      leftSection={<Icon size={16} aria-hidden="true" />}
      onClick={testing ? onCancel : onTest}
    >
      {testing ? 'Cancel test' : 'Test now'}
    </Button>
  )
}
