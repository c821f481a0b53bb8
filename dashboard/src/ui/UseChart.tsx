import { useElementSize } from '@mantine/hooks'

import type { PoolStep } from '#/lib/poolPast'
import { columnsPath, countTicks, stepLine } from '#/lib/chart'
import { count } from '#/lib/format'

import chart from './chart.module.css'
import classes from './UseChart.module.css'
import { TimeAxis } from './TimeAxis'
import { type Cursor, useCursor } from './useCursor'

const INSET = 44
const TOP = 12
const PLOT = 150
/** The waiting requests below, on a scale of their own. */
const GAP = 28
const WAIT = 34
const BOTTOM = 22
const WAIT_TOP = TOP + PLOT + GAP
const FALLBACK_WIDTH = 640

interface UseChartProps {
  buckets: readonly PoolStep[]
  /** Seconds of a step. */
  step: number
  cursor: Cursor
  words: (at: number) => string
  label: string
}

/** Connections in use in each step against how many there may be, and the requests that waited, below. */
export function UseChart({ buckets, step, cursor, words, label }: UseChartProps) {
  const { ref, width: measured } = useElementSize()
  const slider = useCursor({ ...cursor, count: buckets.length, inset: INSET, words, label })
  const width = (measured || FALLBACK_WIDTH) - INSET
  const column = width / Math.max(1, buckets.length)
  const highest = Math.max(
    ...buckets.map((each) => Math.max(each.used_max ?? 0, each.limit ?? 0)),
    1,
  )
  const values = countTicks(highest, 4)
  const y = (value: number) => TOP + PLOT - (value / (values.at(-1) ?? 1)) * PLOT
  const waited = Math.max(...buckets.map((each) => each.waiting ?? 0), 0)
  const floor = waited > 0 ? WAIT_TOP + WAIT : WAIT_TOP
  const line = (of: (each: PoolStep) => number | null) => {
    const points = buckets.map(of)
    return stepLine(
      points.map((value) => (value === null ? null : y(value))),
      column,
    )
  }
  return (
    <div ref={ref} {...slider}>
      <svg className={chart.svg} height={floor + BOTTOM} aria-hidden="true">
        <g transform={`translate(${INSET} 0)`}>
          {values.map((value) => (
            <Grid key={value} width={width} y={y(value)} text={count(value)} />
          ))}
          <TimeAxis buckets={buckets} step={step} width={width} floor={floor} />
          <path className={classes.used} d={columns(buckets, column, y, TOP + PLOT)} />
          <path className={classes.most} d={line((each) => each.used_max)} />
          <path className={classes.limit} d={line((each) => each.limit)} />
          <path className={classes.timeouts} d={marks(buckets, column)} />
          <Waiting buckets={buckets} most={waited} column={column} width={width} />
          {cursor.at !== null && (
            <rect
              className={chart.cursor}
              x={cursor.at * column}
              width={Math.max(1, column)}
              height={floor}
            />
          )}
        </g>
      </svg>
    </div>
  )
}

/** Hair lines between columns only where they are wide enough to be told apart. */
const drawn = (column: number): number => (column > 6 ? column - 1 : column)

function columns(
  buckets: readonly PoolStep[],
  column: number,
  y: (value: number) => number,
  floor: number,
): string {
  const width = drawn(column)
  return columnsPath(
    buckets.flatMap(({ used }, index) =>
      used === null || used === 0 ? [] : [{ x: index * column, width, from: floor, to: y(used) }],
    ),
  )
}

/** A mark above each step in which a request got no connection in time. */
function marks(buckets: readonly PoolStep[], column: number): string {
  const width = Math.max(2, drawn(column))
  return columnsPath(
    buckets.flatMap(({ timeouts }, index) =>
      timeouts > 0 ? [{ x: index * column, width, from: 6, to: 2 }] : [],
    ),
  )
}

function Grid({ width, y, text }: { width: number; y: number; text: string }) {
  return (
    <g>
      <line className={chart.grid} x2={width} y1={y} y2={y} />
      <text x={-8} y={y} textAnchor="end" dominantBaseline="central">
        {text}
      </text>
    </g>
  )
}

interface WaitingProps {
  buckets: readonly PoolStep[]
  most: number
  column: number
  width: number
}

function Waiting({ buckets, most, column, width }: WaitingProps) {
  if (most === 0) {
    return (
      <text x={0} y={WAIT_TOP - 8}>
        No request waited
      </text>
    )
  }
  const floor = WAIT_TOP + WAIT
  const path = columnsPath(
    buckets.flatMap(({ waiting }, index) =>
      waiting === null || waiting === 0
        ? []
        : [
            {
              x: index * column,
              width: drawn(column),
              from: floor,
              to: floor - Math.max(2, (waiting / most) * WAIT),
            },
          ],
    ),
  )
  return (
    <g>
      <text x={0} y={WAIT_TOP - 6}>
        Waiting requests
      </text>
      <Grid width={width} y={WAIT_TOP} text={count(most)} />
      <Grid width={width} y={floor} text="0" />
      <path className={classes.waiting} d={path} />
    </g>
  )
}
