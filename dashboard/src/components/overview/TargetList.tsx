import type { May } from '#/api/context'
import { Grid, type RowLook } from '#/components/list/Grid'
import { keyOf, type Line } from '#/lib/group'

import { GroupHeading } from './GroupHeading'
import { Row } from './Row'
import rowClasses from './Row.module.css'
import classes from './TargetList.module.css'

interface TargetListProps {
  lines: readonly Line[]
  stale: boolean
  may: May
  wide: boolean
  onFold: (group: string) => void
}

const ACTIONS = 'Actions'
const WIDE = ['Status', 'Target', 'Trouble', 'Latency', 'Uptime 24 h', 'Checked']
const NARROW = ['Target and status', 'Trouble']

/** What stands in the list; whoever may do nothing with a target has no place for that. */
function headingsOf(wide: boolean, acts: boolean): readonly string[] {
  if (wide) return acts ? [...WIDE, ACTIONS] : WIDE
  return [...NARROW, acts ? 'Last check and actions' : 'Last check']
}

const HEIGHT = { wide: { row: 56, group: 44 }, narrow: { row: 88, group: 48 } } as const
const HEIGHT_OF = {
  wide: ({ type }: Line) => HEIGHT.wide[type],
  narrow: ({ type }: Line) => HEIGHT.narrow[type],
}

/** The targets, and the headings of their groups. */
export function TargetList({ lines, stale, may, wide, onFold }: TargetListProps) {
  const shape = wide ? 'wide' : 'narrow'
  const acts = may.test || may.edit
  const headings = headingsOf(wide, acts)
  const lookOf = (line: Line): RowLook => ({
    'data-stale': stale,
    'data-paused': line.type === 'row' && !line.row.enabled,
    className: line.type === 'group' ? rowClasses.heading : rowClasses[wide ? 'row' : 'card'],
  })
  return (
    <Grid
      label="Targets"
      headings={headings}
      silent={ACTIONS}
      wide={wide}
      className={wide ? classes[acts ? 'wide' : 'view'] : undefined}
      page={HEIGHT[shape].row}
      lines={lines}
      keyOf={keyOf}
      heightOf={HEIGHT_OF[shape]}
      lookOf={lookOf}
    >
      {(line, stop) =>
        line.type === 'row' ? (
          <Row row={line.row} stale={stale} may={may} wide={wide} stop={stop} />
        ) : (
          <GroupHeading
            group={line.group}
            folded={line.folded}
            stale={stale}
            columns={headings.length}
            stop={stop}
            onFold={onFold}
          />
        )
      }
    </Grid>
  )
}
