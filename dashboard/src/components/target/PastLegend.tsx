import { seconds } from '#/lib/format'
import { type Bucket, type Layer, layerMean } from '#/lib/history'
import chart from '#/ui/chart.module.css'
import stages from '#/ui/stages.module.css'

import classes from './Past.module.css'

interface PastLegendProps {
  layers: readonly Layer[]
  buckets: readonly Bucket[]
  /** The step that is looked at; null: the whole window. */
  at: number | null
}

/** The colours, each with its value: of the step looked at, or the mean of the window. */
export function PastLegend({ layers, buckets, at }: PastLegendProps) {
  const p95 = at === null ? null : (buckets[at]?.p95 ?? null)
  return (
    <ul className={chart.legend} aria-label="Stages">
      {layers.map((layer) => (
        <li key={layer.stage ?? ''}>
          <i className={stages['stage']} data-stage={layer.stage} aria-hidden="true" />
          {layer.stage ?? 'outside stages'}
          <b className={classes.value}>{valueOf(layer, buckets, at)}</b>
        </li>
      ))}
      <li>
        <i className={classes.p95} aria-hidden="true" />
        95 % within
        <b className={classes.value}>{p95 === null ? '' : seconds(p95)}</b>
      </li>
      {buckets.some((each) => each.failures > 0) && (
        <li>
          <i className={classes.failed} aria-hidden="true" />
          failed checks
          <b className={classes.value}>{at === null ? '' : (buckets[at]?.failures ?? 0)}</b>
        </li>
      )}
    </ul>
  )
}

function valueOf(layer: Layer, buckets: readonly Bucket[], at: number | null): string {
  if (at === null) return seconds(layerMean(layer, buckets))
  return buckets[at]?.mean === null ? '–' : seconds(layer.seconds[at] ?? 0)
}
