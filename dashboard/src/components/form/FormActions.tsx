import { Button } from '@mantine/core'

import type { Kind, Status } from '#/api/types'
import { ActionBar } from '#/ui/ActionBar'

import type { Test, TestPhase } from './useTest'

interface FormActionsProps {
  kind: Kind
  test: Test
  /** The form has changed since that test. */
  stale: boolean
  saving: boolean
  /** What saving is called: "Save", "Save changes". */
  verb: string
  /** False: what is to be saved touches nothing that a test is about. */
  testable?: boolean
  /** There is something to save. */
  enabled?: boolean
  onCancel: () => void
  onSave: () => void
}

/** What saving means with such a result. */
const FOUND: Record<Status, { works: boolean; words: string }> = {
  up: { works: true, words: 'The test passed.' },
  degraded: { works: true, words: 'It works, though not as it should.' },
  down: { works: false, words: 'The test failed. It can be saved all the same, and will be down.' },
  unknown: { works: false, words: 'The test could not tell. It can be saved all the same.' },
}
const UNTESTED: Record<TestPhase, string> = {
  none: 'Not tested yet.',
  running: 'The test is still running.',
  done: 'Changed since the test.',
  cancelled: 'The test was cancelled.',
  refused: 'The test could not run.',
}

/** Test, then save: saving without is allowed, and says so. */
export function FormActions(props: FormActionsProps) {
  const {
    kind,
    test,
    stale,
    saving,
    verb,
    testable = true,
    enabled = true,
    onCancel,
    onSave,
  } = props
  const found = test.result === null || stale ? null : FOUND[test.result.status]
  const works = kind.passive || !testable || found?.works === true
  const untested = stale && test.phase !== 'running' && test.phase !== 'none' ? 'done' : test.phase
  const words = kind.passive ? 'It reports by itself: there is nothing to test before.' : ''
  const tells = testable ? UNTESTED[untested] : ''
  const label = works ? verb : found === null ? `${verb} without testing` : `${verb} anyway`
  return (
    <ActionBar words={words || (found?.words ?? tells)}>
      {/* Keys: a click on what turns into the submitting button would submit at once. */}
      {!kind.passive &&
        (test.phase === 'running' ? (
          <Button key="cancel" variant="default" onClick={onCancel}>
            Cancel test
          </Button>
        ) : (
          <Button key="test" type="submit" variant={works ? 'default' : 'filled'}>
            {found === null ? 'Test' : 'Test again'}
          </Button>
        ))}
      <Button
        variant={works ? 'filled' : 'default'}
        loading={saving}
        disabled={!enabled}
        onClick={onSave}
      >
        {label}
      </Button>
    </ActionBar>
  )
}
