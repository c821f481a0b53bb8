import chart from './chart.module.css'
import classes from './UseChart.module.css'

const WIDTH = 14
const HEIGHT = 10
const COLUMN = `M2 0H12V${HEIGHT}H2Z`
const LINE = `M0 5H${WIDTH}`
const MARK = 'M2 3H12V7H2Z'

const SHAPES: readonly {
  name: 'used' | 'most' | 'limit' | 'waiting' | 'timeouts'
  d: string
  words: string
}[] = [
  { name: 'used', d: COLUMN, words: 'in use, mean' },
  { name: 'most', d: LINE, words: 'in use, at most' },
  { name: 'limit', d: LINE, words: 'limit' },
  { name: 'waiting', d: COLUMN, words: 'waiting, at most' },
  { name: 'timeouts', d: MARK, words: 'timeouts' },
]

/** What is what in a chart of use. */
export function UseLegend() {
  return (
    <ul className={chart.legend} aria-label="What the chart shows">
      {SHAPES.map(({ name, d, words }) => (
        <li key={name}>
          <svg width={WIDTH} height={HEIGHT} aria-hidden="true">
            <path className={classes[name]} d={d} />
          </svg>
          {words}
        </li>
      ))}
    </ul>
  )
}
