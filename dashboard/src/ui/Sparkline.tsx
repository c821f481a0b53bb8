import { memo } from 'react'

const WIDTH = 88
const HEIGHT = 18
/** Room for half of the line's width. */
const EDGE = 1

type Points = readonly (number | null)[]

/** The line as an SVG path: from zero to the highest, broken where there is no value. */
export function sparkPath(points: Points): string {
  const top = Math.max(...points.map((point) => point ?? 0), Number.MIN_VALUE)
  const step = points.length > 1 ? (WIDTH - 2 * EDGE) / (points.length - 1) : 0
  let path = ''
  let open = false
  for (const [index, point] of points.entries()) {
    if (point !== null) {
      const x = (EDGE + index * step).toFixed(1)
      const y = (HEIGHT - EDGE - (point / top) * (HEIGHT - 2 * EDGE)).toFixed(1)
      path += open ? `L${x} ${y}` : `M${x} ${y}h0.01`
    }
    open = point !== null
  }
  return path
}

interface Props {
  /** Oldest first. */
  points: Points
  /** How a value is said: `12 ms`. */
  format: (value: number) => string
  /** What the line is of. */
  label: string
}

/** A tiny line, whose shape is what counts: lowest and highest are said in words. */
export const Sparkline = memo(function Sparkline({ points, format, label }: Props) {
  const known = points.filter((point) => point !== null)
  if (known.length === 0) return null
  const words = `${label}: ${format(Math.min(...known))} to ${format(Math.max(...known))}`
  return (
    <svg
      role="img"
      aria-label={words}
      width={WIDTH}
      height={HEIGHT}
      viewBox={`0 0 ${WIDTH} ${HEIGHT}`}
      style={{ display: 'block', overflow: 'visible' }}
    >
      <title>{words}</title>
      <path
        d={sparkPath(points)}
        fill="none"
        stroke="currentColor"
        strokeWidth="1.5"
        strokeLinecap="round"
        strokeLinejoin="round"
      />
    </svg>
  )
})
