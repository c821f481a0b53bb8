import { Stack, UnstyledButton } from '@mantine/core'
import { IconChevronRight } from '@tabler/icons-react'
import { useId } from 'react'

import { useAtNow } from '#/api/context'
import type { Kind, Result } from '#/api/types'
import { Why } from '#/components/Why'
import { secondsIfAny } from '#/lib/format'
import { clockTime, dayAndTime, exact } from '#/lib/time'
import { finished } from '#/lib/waterfall'
import { WarningsCard } from '#/ui/FailureCard'
import { Parts } from '#/ui/Parts'
import { StatusBadge } from '#/ui/StatusBadge'
import { Waterfall } from '#/ui/Waterfall'

import { Observed } from './Observed'
import { TRIGGER_WORD } from './LastCheck'
import classes from './lists.module.css'

interface ResultRowProps {
  result: Result
  kind: Kind | undefined
  open: boolean
  onToggle: () => void
}

/** One result on a line; opened, with its stages and all that it told. */
export function ResultRow({ result, kind, open, onToggle }: ResultRowProps) {
  const id = useId()
  return (
    <li className={classes.item}>
      <UnstyledButton
        className={classes.row}
        aria-expanded={open}
        aria-controls={id}
        onClick={onToggle}
      >
        <span className={classes.chevron} data-open={open} aria-hidden="true">
          <IconChevronRight size={14} />
        </span>
        <StatusBadge status={result.status} />
        <span className={`${classes['dim']} ${classes['when']}`}>
          <When at={result.started_at} />
        </span>
        <span className={classes.why}>{why(result)}</span>
        <span
          className={`${classes['end']} ${classes['took']}`}
          data-failed={result.failure !== null}
        >
          {secondsIfAny(result.seconds || null)}
        </span>
        <span className={`${classes['end']} ${classes['dim']} ${classes['trigger']}`}>
          <Parts>
            <span>{TRIGGER_WORD[result.trigger]}</span>
            {result.region !== 'local' && <span>{result.region}</span>}
          </Parts>
        </span>
      </UnstyledButton>
      <div id={id} hidden={!open}>
        {open && <Opened result={result} kind={kind} />}
      </div>
    </li>
  )
}

function Opened({ result, kind }: Pick<ResultRowProps, 'result' | 'kind'>) {
  return (
    <Stack className={classes['open'] ?? ''} gap="md">
      {result.failure !== null && (
        <Why
          failure={result.failure}
          status={result.status}
          label={`Why the check of ${clockTime(result.started_at)} failed`}
        />
      )}
      {result.warnings.length > 0 && <WarningsCard warnings={result.warnings} />}
      <Waterfall
        fall={finished(result.stages, result.seconds)}
        proves={kind?.proves}
        label="Stages of this check"
      />
      <Observed result={result} />
    </Stack>
  )
}

/** One line: the failing stage and what it said, or the first warning. */
function why({ failure, warnings }: Result): string {
  if (failure === null) return warnings[0] ?? ''
  const line = failure.message.split('\n', 1)[0] ?? ''
  return failure.stage === null ? line : `${failure.stage}: ${line}`
}

/** Of many that are a minute old each needs its own time. */
function When({ at }: { at: string }) {
  const today = useAtNow((now) => new Date(now).toDateString() === new Date(at).toDateString())
  return (
    <time dateTime={at} title={exact(at)} className="tabular">
      {today ? clockTime(at) : dayAndTime(at)}
    </time>
  )
}
