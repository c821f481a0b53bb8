import { memo, useId } from 'react'
import { Link } from 'react-router'

import type { Pool } from '#/api/types'
import rows from '#/components/overview/Row.module.css'
import { count, plural } from '#/lib/format'
import { paths } from '#/lib/paths'
import {
  fullness,
  isSilent,
  leakWords,
  poolName,
  reportedWords,
  usedWords,
  worstAlert,
} from '#/lib/pools'
import { Dash } from '#/ui/Dash'
import { Help } from '#/ui/Help'
import { UseBar } from '#/ui/UseBar'

import classes from './PoolRow.module.css'
import { PoolStanding, StandingSince } from './PoolStanding'

interface PoolRowProps {
  pool: Pool
  /** What is shown is what was last known. */
  stale: boolean
  wide: boolean
  /** Whether the tab key comes to it. */
  stop: boolean
}

/** A pool in the list. It is drawn anew only when what is known of it is another. */
export const PoolRow = memo(function PoolRow({ wide, ...props }: PoolRowProps) {
  return wide ? <WideRow {...props} /> : <Card {...props} />
})

type Shape = Omit<PoolRowProps, 'wide'>

function WideRow({ pool, stale, stop }: Shape) {
  const id = useId()
  const { totals } = pool
  const silent = isSilent(pool)
  return (
    <>
      <div role="gridcell" className={rows.status}>
        <PoolStanding pool={pool} stale={stale} id={`${id}-standing`} />
        <StandingSince pool={pool} stale={stale} className={rows.quiet} />
      </div>
      <div role="rowheader" className={rows.lines}>
        <Name pool={pool} id={id} stop={stop} />
        <span className={rows.quietLine}>{aboutWords(pool)}</span>
      </div>
      <div role="gridcell" className={classes.use}>
        {silent ? <NotKnown /> : <Use pool={pool} />}
      </div>
      <Count value={silent ? null : totals.waiting} />
      <Count value={silent ? null : totals.peak} />
      <Count value={totals.timeouts} />
      <div role="gridcell" className={classes.leaks}>
        <Leaks pool={pool} />
      </div>
      <div role="gridcell" className={rows.lines}>
        <Wrong pool={pool} id={`${id}-wrong`} />
      </div>
    </>
  )
}

function Card({ pool, stale, stop }: Shape) {
  const id = useId()
  const silent = isSilent(pool)
  const { waiting, peak, timeouts } = pool.totals
  return (
    <>
      <div role="rowheader" className={rows.cardTop}>
        <Name pool={pool} id={id} stop={stop} />
        <span className={rows.cardStatus}>
          <PoolStanding pool={pool} stale={stale} size="sm" id={`${id}-standing`} />
          <StandingSince pool={pool} stale={stale} className={rows.quiet} />
        </span>
      </div>
      <div role="gridcell" className={classes.cardUse}>
        {silent ? <span className={rows.quiet}>use not known</span> : <Use pool={pool} />}
      </div>
      <div role="gridcell" className={rows.quietLine}>
        {reportedWords(pool)}
        {!silent && ` · ${count(waiting)} waiting · peak ${count(peak)}`}
        {timeouts > 0 && ` · ${plural(timeouts, 'timeout')}`}
      </div>
      <div role="gridcell" className={classes.cardLeaks}>
        {leakWords(pool.leaks).join(' · ')}
      </div>
      <div role="gridcell" className={rows.lines}>
        <Wrong pool={pool} id={`${id}-wrong`} />
      </div>
    </>
  )
}

interface NameProps {
  pool: Pool
  /** Of the row: what standing and trouble are called after. */
  id: string
  stop: boolean
}

/** The name, which is read out with how the pool stands and why, wherever on the row these are. */
function Name({ pool, id, stop }: NameProps) {
  const wrong = worstAlert(pool) === null ? '' : ` ${id}-wrong`
  return (
    <Link
      className={rows.name}
      to={paths.pool(pool.id)}
      title={poolName(pool)}
      tabIndex={stop ? 0 : -1}
      aria-describedby={`${id}-standing${wrong}`}
    >
      <bdi>{poolName(pool)}</bdi>
    </Link>
  )
}

const aboutWords = (pool: Pool): string => `${pool.driver} · ${reportedWords(pool)}`

function Use({ pool }: { pool: Pool }) {
  const { used, limit, peak } = pool.totals
  return (
    <>
      <span className={classes.words}>
        {usedWords(pool.totals)}
        {limit === null && <span className={rows.quiet}> no limit</span>}
      </span>
      <UseBar used={used} limit={limit} peak={peak} full={fullness(pool)} />
    </>
  )
}

/** A number that is of note where it is not zero. */
const Count = ({ value }: { value: number | null }) => (
  <div role="gridcell" className={classes.number} data-none={value === 0}>
    {value === null ? <NotKnown /> : count(value)}
  </div>
)

const NotKnown = () => <Dash words="not known" className={rows.quiet} />

function Leaks({ pool }: { pool: Pool }) {
  const words = leakWords(pool.leaks)
  if (isSilent(pool) && words.length === 0) return <NotKnown />
  if (words.length === 0) return <span data-none="true">none</span>
  return words.map((each) => <span key={each}>{each}</span>)
}

/** Some lines of a browser's own tooltip; the pool's page has all of it. */
const MOST = 600

/** The worst of what is wrong, and what to do about it. */
function Wrong({ pool, id }: { pool: Pool; id: string }) {
  const worst = worstAlert(pool)
  if (worst === null) return null
  const { message, recommendation } = worst
  const others = pool.alerts.length - 1
  return (
    <span
      id={id}
      className={classes.wrong}
      title={`${message}\n\n→ ${recommendation}`.slice(0, MOST)}
    >
      <span className={classes.lead}>
        <bdi className={classes.message}>{message}</bdi>{' '}
        {others > 0 && <span className={classes.more}>and {count(others)} more</span>}
      </span>{' '}
      <bdi className={classes.advice}>
        <Help text={recommendation} />
      </bdi>
    </span>
  )
}
