import { memo, useId } from 'react'
import { Link } from 'react-router'

import type { May } from '#/api/context'
import type { OverviewRow } from '#/api/types'
import { seconds } from '#/lib/format'
import { paths } from '#/lib/paths'
import { isUntimed, latencyOf } from '#/lib/rows'
import { shownStatus } from '#/lib/status'
import { Dash } from '#/ui/Dash'
import { Held } from '#/ui/Held'
import { Since } from '#/ui/Since'
import { Sparkline } from '#/ui/Sparkline'
import { StatusBadge } from '#/ui/StatusBadge'
import { Uptime } from '#/ui/Uptime'

import classes from './Row.module.css'
import { RowActions } from './RowActions'
import { Trouble, troubleOf } from './Trouble'
import { useTesting } from './useRowActions'

interface RowProps {
  row: OverviewRow
  /** The page hears no news: what is shown is what was last known. */
  stale: boolean
  may: May
  wide: boolean
  /** Whether the tab key comes to it: to its name, and from there to its actions. */
  stop: boolean
}

/** A target in the list. It is drawn anew only when its row is another object. */
export const Row = memo(function Row({ wide, ...props }: RowProps) {
  return wide ? <WideRow {...props} /> : <Card {...props} />
})

type Shape = Omit<RowProps, 'wide'>

function WideRow({ row, stale, may, stop }: Shape) {
  const id = useId()
  return (
    <>
      <div role="gridcell" className={classes.status}>
        <StatusBadge id={`${id}-status`} status={shownStatus(row)} stale={stale} />
        <Standing row={row} stale={stale} />
      </div>
      <div role="rowheader" className={classes.lines}>
        <Name row={row} id={id} stop={stop} />
        <Place row={row} />
      </div>
      <div role="gridcell" className={classes.lines}>
        <Trouble row={row} id={`${id}-trouble`} />
      </div>
      <div role="gridcell" className={classes.latency}>
        <Latency row={row} />
      </div>
      <div role="gridcell" className={classes.number}>
        <Uptime share={row.uptime_24h} />
      </div>
      <div role="gridcell" className={classes.number}>
        <Since at={row.checked_at} />
      </div>
      {(may.test || may.edit) && (
        <div role="gridcell">
          <Actions row={row} may={may} stop={stop} />
        </div>
      )}
    </>
  )
}

function Card({ row, stale, may, stop }: Shape) {
  const id = useId()
  return (
    <>
      <div role="rowheader" className={classes.cardTop}>
        <Name row={row} id={id} stop={stop} />
        <span className={classes.cardStatus}>
          <StatusBadge id={`${id}-status`} status={shownStatus(row)} size="sm" stale={stale} />
          <Standing row={row} stale={stale} />
        </span>
      </div>
      <div role="gridcell" className={classes.cardMiddle}>
        {troubleOf(row) === null ? <Place row={row} /> : <Trouble row={row} id={`${id}-trouble`} />}
      </div>
      <div role="gridcell" className={classes.cardBottom}>
        <Took row={row} className={classes.quiet} />
        <span className={classes.quiet}>
          <Uptime share={row.uptime_24h} /> in 24 h
        </span>
        <span className={classes.quiet}>
          <Since at={row.checked_at} />
        </span>
        <Actions row={row} may={may} stop={stop} />
      </div>
    </>
  )
}

/** Given one by one: a check makes another row, and these stay as they are. */
const Actions = ({ row: { id, name, enabled, origin }, may, stop }: Omit<Shape, 'stale'>) => (
  <RowActions
    id={id}
    name={name}
    enabled={enabled}
    origin={origin}
    may={may}
    tabIndex={stop ? 0 : -1}
  />
)

interface NameProps {
  row: OverviewRow
  /** Of the row: what status and trouble are called after. */
  id: string
  stop: boolean
}

/** The name, which is read out with the status and the trouble, wherever on the row these stand. */
function Name({ row, id, stop }: NameProps) {
  const trouble = troubleOf(row) === null ? '' : ` ${id}-trouble`
  return (
    <Link
      className={classes.name}
      to={paths.target(row.id)}
      title={row.name}
      tabIndex={stop ? 0 : -1}
      aria-describedby={`${id}-status${trouble}`}
    >
      <bdi>{row.name}</bdi>
    </Link>
  )
}

function Place({ row }: { row: OverviewRow }) {
  return (
    <span className={classes.quietLine} title={`${row.kind} ${row.address}`.trim()}>
      {row.kind}
      {row.address !== '' && (
        <>
          {' · '}
          <bdi>{row.address}</bdi>
        </>
      )}
    </span>
  )
}

/** What goes on beside the status, and otherwise for how long it has held. */
function Standing({ row, stale }: { row: OverviewRow; stale: boolean }) {
  const testing = useTesting(row.id)
  if (stale) return <span className={classes.quiet}>last known</span>
  if (testing || row.checking) return <span className={classes.quiet}>checking …</span>
  if (row.confirming !== null) {
    const [have, need] = row.confirming
    return <span className={classes.quiet}>{`confirming ${have} of ${need}`}</span>
  }
  if (row.since === null || !row.enabled) return null
  return <Held since={row.since} className={classes.quiet} />
}

/** How long the last check took. One that failed tells no latency: it is told by what it says beside. */
function Took({ row, className }: { row: OverviewRow; className: string | undefined }) {
  const took = latencyOf(row)
  if (took === null) return null
  return (
    <span className={className} title="The last check took">
      {seconds(took)}
    </span>
  )
}

function Latency({ row }: { row: OverviewRow }) {
  return (
    <>
      <Sparkline points={row.latency} format={seconds} label="Latency in the last 24 h" />
      <Took row={row} className={classes.last} />
      {isUntimed(row) && (
        <Dash words="no latency" title="What it reports tells no time" className={classes.quiet} />
      )}
    </>
  )
}
