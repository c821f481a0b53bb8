import { memo } from 'react'

const WIDTH = 88
const HEIGHT = 18
/** Room for half of the line's width. */
const EDGE = 1
const MOST_POINTS = 48

type Points = readonly (number | null)[]

/** As many as there is room for: of several that fall on one place the mean. */
function thinned(points: Points): Points {
  const size = Math.ceil(points.length / MOST_POINTS)
  if (size <= 1) return points
  return Array.from({ length: Math.ceil(points.length / size) }, (_, index) => {
    const part = points.slice(index * size, (index + 1) * size).filter((point) => point !== null)
    return part.length === 0 ? null : part.reduce((sum, point) => sum + point, 0) / part.length
  })
}

/** The line as an SVG path: from zero to the highest, broken where there is no value. */
export function sparkPath(all: Points): string {
  const points = thinned(all)
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
  if (known.length < 2) return null // a point has no shape
  if (known.every((point) => point === 0)) return null // what reports told no time
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
        strokeWidth="1.25"
        strokeLinecap="round"
        strokeLinejoin="round"
      />
    </svg>
  )
})
