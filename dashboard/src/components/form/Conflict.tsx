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
  type Verdict,
} from '#/lib/patch'
import type { Field } from '#/lib/jsonSchema'
import { told } from '#/lib/told'
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
            : 'Choose for each setting that they changed, or may have. All else that you have typed is still here.'}
        </Text>
        {found.map((each) =>
          each.verdict === 'agreed' ? (
            <Agreed key={each.field.key} difference={each} />
          ) : (
            <Choice
              key={each.field.key}
              difference={each}
              side={sides[each.field.key] ?? 'mine'}
              onChoose={(side) => setSides({ ...sides, [each.field.key]: side })}
            />
          ),
        )}
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

function before({ field, was, verdict }: Difference): string {
  const said: Record<Verdict, string> = {
    theirs: `It was ${told(field, was)}. You did not change it.`,
    both: `It was ${told(field, was)}. Both of you changed it.`,
    agreed: `It was ${told(field, was)}. Both of you changed it to the same.`,
    hidden:
      'You changed it. It is hidden, so nobody can see here whether they changed it too: yours would replace theirs.',
  }
  return said[verdict]
}

/** There is nothing to choose. */
function Agreed({ difference }: { difference: Difference }) {
  const { field, theirs } = difference
  return (
    <div>
      <Text size="sm" fw={600}>
        {field.title}
      </Text>
      <Text size="xs" c="dimmed">
        {before(difference)}
      </Text>
      <Text size="sm" component="div">
        <Folded text={told(field, theirs)} lines={2} />
      </Text>
    </div>
  )
}

/** What taking a side leaves; of what is hidden on the server no more can be told. */
function left({ field, verdict, ...sides }: Difference, side: Side): string {
  if (verdict !== 'hidden') return told(field, sides[side])
  if (side === 'theirs') return 'what is stored now'
  return field.shape.is === 'secret' && sides.mine === undefined
    ? 'removed'
    : told(field, sides.mine)
}

interface ChoiceProps {
  difference: Difference
  side: Side
  onChoose: (side: Side) => void
}

function Choice({ difference, side, onChoose }: ChoiceProps) {
  return (
    <Radio.Group
      label={difference.field.title}
      description={before(difference)}
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
                <Folded text={left(difference, each)} lines={2} />
              </>
            }
          />
        ))}
      </div>
    </Radio.Group>
  )
}
