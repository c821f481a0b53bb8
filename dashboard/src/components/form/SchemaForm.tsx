import { Stack, Text, UnstyledButton } from '@mantine/core'
import { IconChevronRight } from '@tabler/icons-react'
import { useId, useState } from 'react'

import { type Draft, type Drafts, isSet } from '#/lib/form'
import type { Field } from '#/lib/jsonSchema'
import { isUnder } from '#/lib/mistakes'

import classes from './form.module.css'
import { SchemaFields } from './SchemaField'

interface SchemaFormProps {
  /** Of the kind, then those that every target has; each under its own heading where it is folded. */
  parts: readonly Part[]
  drafts: Drafts
  stored?: Drafts
  errors: ReadonlyMap<string, string>
  disabled?: boolean
  /** `path`: of what was changed in it. */
  onChange: (key: string, draft: Draft, path: string) => void
}

export interface Part {
  readonly title: string
  readonly fields: readonly Field[]
}

const NOTHING: Drafts = {}

/** A form drawn from JSON Schema: what is always needed in view, all else under "More settings". */
export function SchemaForm(props: SchemaFormProps) {
  const { parts, drafts, stored = NOTHING, errors, disabled = false, onChange } = props
  const shared = { drafts, stored, errors, disabled, onChange }
  const rest = parts
    .map(({ title, fields }) => ({ title, fields: fields.filter((each) => !each.main) }))
    .filter(({ fields }) => fields.length > 0)
  const main = parts.flatMap(({ fields }) => fields.filter((each) => each.main))
  return (
    <Stack gap="md">
      <SchemaFields fields={main} {...shared} />
      {rest.length > 0 && <More parts={rest} {...shared} />}
    </Stack>
  )
}

type MoreProps = Required<SchemaFormProps>

function More({ parts, ...shared }: MoreProps) {
  const [wanted, setWanted] = useState(false)
  const id = useId()
  const folded = parts.flatMap((each) => each.fields)
  const open = wanted || folded.some((field) => isUnder(shared.errors.keys(), field))
  const set = folded.filter((field) => isSet(field, shared.drafts[field.key])).length
  return (
    <div>
      <UnstyledButton
        className={classes.more ?? ''}
        aria-expanded={open}
        aria-controls={id}
        onClick={() => setWanted(!open)}
      >
        <IconChevronRight size={16} aria-hidden="true" />
        <span>More settings</span>{' '}
        {!open && set > 0 && (
          <Text span c="dimmed" size="sm" fw={400}>
            {set} set
          </Text>
        )}
      </UnstyledButton>
      <div id={id} hidden={!open}>
        {open && (
          <Stack gap="lg" mt="md">
            {parts.map(({ title, fields }) => (
              <section key={title} aria-label={title}>
                <Text component="h2" size="sm" fw={600} c="dimmed" mb="xs">
                  {title}
                </Text>
                <SchemaFields fields={fields} {...shared} />
              </section>
            ))}
          </Stack>
        )}
      </div>
    </div>
  )
}
