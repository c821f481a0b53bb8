import { Anchor, Text } from '@mantine/core'
import { useState } from 'react'
import { Link } from 'react-router'

import { useMay } from '#/api/context'
import type { Kind, Target } from '#/api/types'
import { detailText } from '#/lib/details'
import { plural } from '#/lib/format'
import { whyLocked } from '#/lib/origin'
import { paths } from '#/lib/paths'
import { type Field, fieldsOf } from '#/lib/jsonSchema'
import { duration } from '#/lib/time'
import { type Fact, Facts } from '#/ui/Facts'
import { Folded } from '#/ui/Folded'
import { Since } from '#/ui/Since'
import { Toggle } from '#/ui/Toggle'

import { Section } from './Section'

/** What the target is set to: its kind's settings as their schema lists them, then its schedule. */
export function TargetSettings({ target, kind }: { target: Target; kind: Kind | undefined }) {
  const may = useMay()
  const [all, setAll] = useState(false)
  const own = kind === undefined ? [] : settings(fieldsOf(kind.settings), target)
  const set = own.filter((each) => each.set)
  const shown = all ? own : set
  return (
    <Section
      title="Settings"
      aside={
        may.edit &&
        target.origin !== 'file' && (
          <Anchor component={Link} to={paths.editTarget(target.id)} size="sm">
            Edit the settings
          </Anchor>
        )
      }
    >
      {target.origin === 'file' && (
        <Text size="sm" c="dimmed" mb="sm">
          {whyLocked(target)}
        </Text>
      )}
      <Facts facts={[...shown, ...scheduleFacts(target), ...changed(target)]} />
      {own.length > set.length && (
        <Toggle
          open={all}
          onToggle={() => setAll(!all)}
          more={`Show ${plural(own.length - set.length, 'setting')} not set`}
          less="Hide what is not set"
        />
      )}
    </Section>
  )
}

const SECRET = '***'
const DOTS = '••••••••'

type Values = Readonly<Record<string, unknown>>

/** A setting, and whether somebody set it. */
interface SettingFact extends Fact {
  set: boolean
}

/** Settings in the order of their schema; groups by their fields. */
function settings(fields: readonly Field[], values: Values): SettingFact[] {
  return fields.flatMap((field): SettingFact[] => {
    const value = values[field.key]
    if (field.shape.is === 'group') {
      if (typeof value !== 'object' || value === null) return []
      return settings(field.shape.fields, value as Values).map((each) => ({
        ...each,
        key: `${field.key}.${each.key}`,
        title: (
          <>
            {field.title}: {each.title}
          </>
        ),
      }))
    }
    return [
      {
        key: field.key,
        title: <span title={field.help || undefined}>{field.title}</span>,
        value: <Setting value={value} field={field} />,
        set: isSet(value),
      },
    ]
  })
}

/** An empty list or table says no more than its default. */
const isSet = (value: unknown): boolean =>
  value !== undefined &&
  value !== null &&
  (typeof value !== 'object' || Object.keys(value).length > 0)

function Setting({ value, field }: { value: unknown; field: Field }) {
  if (value === undefined || value === null) return <Unset field={field} />
  if (value === SECRET) return <span aria-label="kept secret">{DOTS}</span>
  return <Folded text={dotted(detailText(value))} lines={2} />
}

function Unset({ field }: { field: Field }) {
  const fallback = detailText(field.fallback)
  return (
    <Text span size="sm" c="dimmed">
      {field.shape.is === 'secret' || fallback === '–' || fallback === 'none'
        ? 'not set'
        : `${fallback} (default)`}
    </Text>
  )
}

/** A secret within a value, such as the password of an address. */
const dotted = (text: string): string => text.replaceAll(SECRET, DOTS)

function scheduleFacts(target: Target): Fact[] {
  const { retry, failures_before_down: failures, retry_delay: delay } = target
  const facts: [string, string | null][] = [
    ['Interval', `every ${duration(target.interval)}`],
    ['Timeout', duration(target.timeout)],
    [
      'Down after',
      retry ? `${times(failures, 'failure')}, ${duration(delay)} apart` : 'the first failure',
    ],
    ['Up after', times(target.successes_before_up, 'success', 'successes')],
    ['Degraded above', target.degraded_above === null ? null : `${target.degraded_above} s`],
    ['Depends on', target.depends_on.join(', ') || null],
    ['Regions', onlyLocal(target) ? null : `${target.regions.join(', ')}; quorum ${target.quorum}`],
  ]
  return facts.flatMap(([title, value]) => (value === null ? [] : [{ key: title, title, value }]))
}

const changed = ({ changed_at: at }: Target): Fact[] =>
  typeof at !== 'string' ? [] : [{ key: 'changed', title: 'Changed', value: <Since at={at} /> }]

const onlyLocal = ({ regions }: Target): boolean => regions.length === 1 && regions[0] === 'local'

const times = (count: number, noun: string, nouns = `${noun}s`): string =>
  `${count} ${count === 1 ? noun : `${nouns} in a row`}`
