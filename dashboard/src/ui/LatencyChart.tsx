import { useElementSize } from '@mantine/hooks'

import { columnsPath, stepLine, valueTicks } from '#/lib/chart'
import { seconds } from '#/lib/format'
import type { Bucket, Layer } from '#/lib/history'

import chart from './chart.module.css'
import classes from './LatencyChart.module.css'
import stages from './stages.module.css'
import { TimeAxis } from './TimeAxis'
import { type Cursor, useCursor } from './useCursor'

/** Pixels left of the plot, for the values; other charts of the same steps keep the same. */
export const CHART_INSET = 52

const HEIGHT = 190
const TOP = 12
const BOTTOM = 22
const PLOT = HEIGHT - TOP - BOTTOM
const FALLBACK_WIDTH = 640

interface LatencyChartProps {
  buckets: readonly Bucket[]
  layers: readonly Layer[]
  /** Seconds of a step. */
  step: number
  cursor: Cursor
  words: (at: number) => string
  label: string
}

/**
 * Mean latency of each step as a column of stages, with the line below which 95 of 100 checks stay.
 *
 * Columns and not a curve: a curve would tell of times in which nothing was measured.
 */
export function LatencyChart({ buckets, layers, step, cursor, words, label }: LatencyChartProps) {
  const { ref, width: measured } = useElementSize()
  const slider = useCursor({ ...cursor, count: buckets.length, inset: CHART_INSET, words, label })
  const width = (measured || FALLBACK_WIDTH) - CHART_INSET
  const column = width / Math.max(1, buckets.length)
  const top = Math.max(...buckets.map((each) => Math.max(each.p95 ?? 0, each.mean ?? 0)), 0)
  const values = valueTicks(top, 4)
  const y = (value: number) => TOP + PLOT - (value / (values.at(-1) ?? 1)) * PLOT
  return (
    <div ref={ref} {...slider}>
      <svg className={chart.svg} height={HEIGHT} aria-hidden="true">
        <g transform={`translate(${CHART_INSET} 0)`}>
          <ValueAxis values={values} width={width} y={y} any={top > 0} />
          <TimeAxis buckets={buckets} step={step} width={width} floor={HEIGHT - BOTTOM} />
          <Layers layers={layers} column={column} y={y} />
          <path
            className={classes.p95}
            d={stepLine(
              buckets.map((each) => (each.p95 === null ? null : y(each.p95))),
              column,
            )}
          />
          <path className={classes.failed} d={failures(buckets, column)} />
          {cursor.at !== null && (
            <rect
              className={chart.cursor}
              x={cursor.at * column}
              width={Math.max(1, column)}
              height={HEIGHT - BOTTOM}
            />
          )}
        </g>
      </svg>
    </div>
  )
}

interface LayersProps {
  layers: readonly Layer[]
  column: number
  y: (value: number) => number
}

function Layers({ layers, column, y }: LayersProps) {
  // Hair lines between columns only where they are wide enough to be told apart.
  const drawn = column > 6 ? column - 1 : column
  const below: number[] = []
  return layers.map(({ stage, seconds: values }) => {
    const columns = values.flatMap((value, index) => {
      const from = below[index] ?? 0
      below[index] = from + value
      if (value <= 0) return []
      return [{ x: index * column, width: drawn, from: y(from), to: y(from + value) }]
    })
    return (
      <path
        key={stage ?? ''}
        className={stages['stage']}
        data-stage={stage}
        d={columnsPath(columns)}
      />
    )
  })
}

interface ValueAxisProps {
  values: readonly number[]
  width: number
  y: (value: number) => number
  /** Whether there is anything to measure by it. */
  any: boolean
}

function ValueAxis({ values, width, y, any }: ValueAxisProps) {
  return values.map((value) => (
    <g key={value}>
      <line className={chart.grid} x2={width} y1={y(value)} y2={y(value)} />
      {any && (
        <text x={-8} y={y(value)} textAnchor="end" dominantBaseline="central">
          {value === 0 ? '0' : seconds(value)}
        </text>
      )}
    </g>
  ))
}

/** A mark above each step in which a check failed. */
function failures(buckets: readonly Bucket[], column: number): string {
  const width = Math.max(2, column - (column > 6 ? 1 : 0))
  return columnsPath(
    buckets.flatMap((each, index) =>
      each.failures > 0 ? [{ x: index * column, width, from: 6, to: 2 }] : [],
    ),
  )
}
