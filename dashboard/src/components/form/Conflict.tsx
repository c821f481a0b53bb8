import { Button, Group, Paper, Radio, Stack, Text } from '@mantine/core'
import { IconUsers } from '@tabler/icons-react'
import { useMemo, useState } from 'react'

import type { Target } from '#/api/types'
import type { Drafts } from '#/lib/form'
import {
  type Difference,
  differences,
  firstSides,
  merged,
  type Side,
  storedDrafts,
} from '#/lib/patch'
import { type Field, type Json, written } from '#/lib/jsonSchema'
import { Folded } from '#/ui/Folded'
import { Since } from '#/ui/Since'

import classes from './form.module.css'

interface ConflictProps {
  fields: readonly Field[]
  was: Target
  theirs: Target
  mine: Drafts
  saving: boolean
  onResolve: (decided: Drafts, from: Target) => void
}

/** What somebody else changed meanwhile, against what is typed here. Nothing of either is lost unseen. */
export function Conflict({ fields, was, theirs, mine, saving, onResolve }: ConflictProps) {
  const there = useMemo(() => storedDrafts(fields, theirs), [fields, theirs])
  const found = differences(fields, storedDrafts(fields, was), there, mine)
  const [sides, setSides] = useState(() => firstSides(found))
  const at = theirs.changed_at
  return (
    <Paper withBorder p="md" role="alert" tabIndex={-1} ref={focus} className={classes.conflict}>
      <Group gap="xs" wrap="nowrap" mb="xs">
        <IconUsers size={20} aria-hidden="true" style={{ flex: 'none' }} />
        <Text fw={600}>
          Somebody else changed this target {at === null ? 'meanwhile' : <Since at={at} />}
        </Text>
      </Group>
      <Stack gap="md">
        <Text size="sm">
          {found.length === 0
            ? 'What they changed is hidden, such as a password. What you have typed is still here.'
            : 'Choose for each setting that they changed. All else that you have typed is still here.'}
        </Text>
        {found.map((each) => (
          <Choice
            key={each.field.key}
            difference={each}
            side={sides[each.field.key] ?? 'mine'}
            onChoose={(side) => setSides({ ...sides, [each.field.key]: side })}
          />
        ))}
        <Group>
          <Button loading={saving} onClick={() => onResolve(merged(mine, there, sides), theirs)}>
            Save with these choices
          </Button>
        </Group>
      </Stack>
    </Paper>
  )
}

const focus = (alert: HTMLDivElement | null) => alert?.focus()

const WORDS: Record<Side, string> = { mine: 'Yours', theirs: 'Theirs' }

interface ChoiceProps {
  difference: Difference
  side: Side
  onChoose: (side: Side) => void
}

function Choice({ difference, side, onChoose }: ChoiceProps) {
  const { field, was, both } = difference
  return (
    <Radio.Group
      label={field.title}
      description={
        <>
          It was {shown(field, was)}. {both ? 'Both of you changed it.' : 'You did not change it.'}
        </>
      }
      value={side}
      onChange={(chosen) => onChoose(chosen === 'mine' ? 'mine' : 'theirs')}
    >
      <div className={classes.sides}>
        {(['mine', 'theirs'] as const).map((each) => (
          <Radio
            key={each}
            value={each}
            label={
              <>
                <b>{WORDS[each]}</b>
                <Folded text={shown(field, difference[each])} lines={2} />
              </>
            }
          />
        ))}
      </div>
    </Radio.Group>
  )
}

/** A value to compare; a secret that is typed here is named, not shown. */
function shown(field: Field, value: Json | undefined): string {
  if (value === undefined) return 'not set'
  if (field.shape.is === 'secret') return value === '***' ? 'hidden' : 'what you have typed'
  return written(value) || 'empty'
}
