import {
  IconAlertTriangle,
  IconCheck,
  IconCircleDashed,
  IconLoader2,
  IconMinus,
  IconX,
} from '@tabler/icons-react'
import type { ComponentType } from 'react'

import { valueTicks } from '#/lib/chart'
import { seconds } from '#/lib/format'
import { type Fall, type Step, type Verdict, VERDICT_WORD } from '#/lib/waterfall'

import { Help } from './Help'
import classes from './Waterfall.module.css'

const ICON: Record<Verdict, ComponentType<{ size: number }>> = {
  passed: IconCheck,
  warning: IconAlertTriangle,
  failed: IconX,
  unused: IconMinus,
  unreached: IconCircleDashed,
  running: IconLoader2,
  waiting: IconCircleDashed,
  notSoFar: IconMinus,
}

/** Less than this share of a check outside its stages is not worth a line. */
const NOTABLE_REST = 0.05

interface WaterfallProps {
  fall: Fall
  /** What each stage proves. */
  proves?: Readonly<Record<string, string>> | undefined
  /** What it is of: "Stages of the last check". */
  label: string
}

/** The stages of one check, each with its verdict, its time, and where in the check it lay. */
export function Waterfall({ fall, proves, label }: WaterfallProps) {
  const timed = fall.steps.some((each) => each.bar !== null)
  return (
    <div className={classes.root}>
      {timed && <Axis span={fall.span} />}
      <ol className={classes.list} aria-label={label}>
        {fall.steps.map((each) => (
          <StepRow key={each.stage} step={each} proves={proves?.[each.stage]} />
        ))}
      </ol>
      {fall.span > 0 && fall.rest > NOTABLE_REST * fall.span && (
        <div className={classes.rest}>
          The whole check took {seconds(fall.span)}, {seconds(fall.rest)} of it outside these
          stages.
        </div>
      )}
    </div>
  )
}

function Axis({ span }: { span: number }) {
  const ticks = valueTicks(span, 3).filter((each) => each <= span)
  return (
    <div className={classes.axis} aria-hidden="true">
      <div className={classes.ticks}>
        {ticks.map((each) => (
          <span
            key={each}
            data-end={each / span > 0.9}
            style={{ insetInlineStart: `${(each / span) * 100}%` }}
          >
            {each === 0 ? '0' : seconds(each)}
          </span>
        ))}
      </div>
    </div>
  )
}

function StepRow({ step, proves }: { step: Step; proves: string | undefined }) {
  const { stage, verdict } = step
  const Icon = ICON[verdict]
  return (
    <li className={classes.step}>
      <span className={classes.name}>
        <span className={classes.mark} data-verdict={verdict} aria-hidden="true">
          <Icon size={16} />
        </span>
        {stage}
      </span>
      <span className={classes.verdict} data-verdict={verdict}>
        {VERDICT_WORD[verdict]}
      </span>
      <Track step={step} />
      <span className={classes.time}>{step.seconds !== null && seconds(step.seconds)}</span>
      {proves !== undefined && (
        <span className={classes.proves}>
          <Help text={proves} />
        </span>
      )}
    </li>
  )
}

const DONE: ReadonlySet<Verdict> = new Set(['passed', 'warning', 'failed'])

function Track({ step: { bar, verdict } }: { step: Step }) {
  if (bar === null && DONE.has(verdict)) {
    return <span className={classes.untimed}>no time of its own</span>
  }
  return (
    <span className={classes.track} aria-hidden="true">
      {verdict === 'running' && <span className={classes.pulse} />}
      {bar !== null && (
        <span
          className={classes.bar}
          data-verdict={verdict}
          style={{
            insetInlineStart: `min(${bar.from * 100}%, calc(100% - 2px))`,
            width: `${bar.width * 100}%`,
          }}
        />
      )}
    </span>
  )
}
