import { timeLabel, timeTicks } from '#/lib/chart'

import classes from './chart.module.css'

const TICK_WIDTH = 58
/** Half the width of a label: nearer to an edge it would hang over. */
const TICK_EDGE = 24

interface TimeAxisProps {
  /** Oldest first, and seconds of each. */
  buckets: readonly { start: string }[]
  step: number
  /** Pixels of the plot, and how far down it ends. */
  width: number
  floor: number
}

/** Round times below a chart of steps. */
export function TimeAxis({ buckets, step, width, floor }: TimeAxisProps) {
  const [first] = buckets
  if (first === undefined) return null
  const since = Date.parse(first.start)
  const span = buckets.length * step * 1000
  const ticks = timeTicks(since, since + span, Math.max(2, Math.floor(width / TICK_WIDTH)))
  return ticks.map((at) => {
    const x = ((at - since) / span) * width
    return (
      <g key={at} transform={`translate(${x} ${floor})`}>
        <line className={classes.grid} y2={4} />
        {x > TICK_EDGE && x < width - TICK_EDGE && (
          <text y={16} textAnchor="middle">
            {timeLabel(at)}
          </text>
        )}
      </g>
    )
  })
}
