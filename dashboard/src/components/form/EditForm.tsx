import { Alert, Stack } from '@mantine/core'
import { IconLock, IconTrash } from '@tabler/icons-react'
import { useMemo, useRef, useState, type RefObject } from 'react'
import { useNavigate } from 'react-router'

import { ApiError } from '#/api/problem'
import type { Kind, SavedTarget, Target } from '#/api/types'
import { type Body, bodyOf, type Draft, type Drafts } from '#/lib/form'
import { whyLocked } from '#/lib/origin'
import { patchOf, storedDrafts } from '#/lib/patch'
import { paths } from '#/lib/paths'
import type { Field, Schema } from '#/lib/jsonSchema'
import { ErrorNotice } from '#/ui/ErrorNotice'

import { Conflict } from './Conflict'
import classes from './form.module.css'
import { FormActions } from './FormActions'
import { useFields, useParts } from './parts'
import { ReportTo } from './ReportTo'
import { SchemaForm } from './SchemaForm'
import { TestPanel } from './TestPanel'
import { useFormErrors } from './useFormErrors'
import { useLatest } from './useLatest'
import { useLeaveGuard } from './useLeaveGuard'
import { useSave } from './useSave'
import { useTest } from './useTest'

interface EditFormProps {
  target: Target
  kind: Kind
  common: Schema
  /** It was removed meanwhile. */
  gone?: boolean
}

const STALE = 412
const NOT_THERE = 404

/** A stored target's settings. Only what changed is sent, based on the version that is shown. */
export function EditForm({ target, kind, common, gone = false }: EditFormProps) {
  const ref = useRef<HTMLFormElement>(null)
  const form = useEditForm(target, kind, common, ref)
  const { base, parts, fields, drafts, stored, patch, errors } = form
  const { test, run, cancel } = useTest()
  const { theirs, made, saving, guard, missing, send, add, resolve } = useSending(form)
  if (made !== null) return <ReportTo target={made} />

  const removed = gone || missing
  const body = removed ? asNew(fields, drafts, kind) : { id: base.id, ...patch }
  const stale = test.of !== JSON.stringify(body)
  const testable = removed || (parts[1]?.fields.some(({ key }) => key in patch) ?? false)
  const dirty = Object.keys(patch).length > 0
  const locked = base.origin === 'file'
  return (
    <form
      ref={ref}
      noValidate
      onSubmit={(event) => {
        event.preventDefault()
        if (!kind.passive && errors.passes(drafts)) void run(body).then(errors.tell)
      }}
    >
      <Stack gap="md">
        {locked && (
          <Alert color="gray" icon={<IconLock aria-hidden="true" />} title="Read only">
            {whyLocked(base)}
          </Alert>
        )}
        {removed && <Removed name={base.name} />}
        {errors.top !== null && errors.said !== test.error && <ErrorNotice error={errors.top} />}
        {theirs !== null && !removed && (
          <Conflict
            key={theirs.version}
            fields={fields}
            was={base}
            theirs={theirs}
            mine={drafts}
            saving={saving}
            onResolve={resolve}
          />
        )}
        <div className={classes.columns}>
          <SchemaForm
            parts={parts}
            drafts={drafts}
            stored={stored}
            errors={errors.at}
            disabled={locked}
            onChange={form.change}
          />
          <div className={classes.aside}>
            <TestPanel test={test} kind={kind} stale={stale} errors={errors} />
          </div>
        </div>
        {!locked && (theirs === null || removed) && (
          <FormActions
            kind={kind}
            test={test}
            stale={stale}
            saving={saving}
            verb={removed ? 'Add as a new target' : 'Save changes'}
            testable={testable}
            enabled={dirty || removed}
            onCancel={cancel}
            onSave={() => void (removed ? add(body) : send(drafts, base))}
          />
        )}
      </Stack>
      {guard}
    </form>
  )
}

/** What holds a mask is sent with it: the API says at the field that what stood there is gone. */
const asNew = (fields: readonly Field[], drafts: Drafts, kind: Kind): Body => ({
  ...bodyOf(fields, drafts),
  kind: kind.name,
})

function Removed({ name }: { name: string }) {
  return (
    <Alert role="alert" color="yellow" icon={<IconTrash aria-hidden="true" />} title="It is gone">
      Somebody removed {name} while you edited it. What you have typed is still here, and can be
      added as a new target; its secrets and its history are gone, so type the secrets again.
    </Alert>
  )
}

function useEditForm(
  target: Target,
  kind: Kind,
  common: Schema,
  ref: RefObject<HTMLFormElement | null>,
) {
  // As it was when the form was opened, or after a conflict: what comes in meanwhile is not looked at.
  const [base, setBase] = useState(target)
  const parts = useParts(kind, common)
  const fields = useFields(parts)
  const stored = useMemo(() => storedDrafts(fields, base), [fields, base])
  const [drafts, setDrafts] = useState(stored)
  const patch = useMemo(() => patchOf(fields, stored, drafts), [fields, stored, drafts])
  const errors = useFormErrors(fields, ref)
  const change = (key: string, draft: Draft, path: string) => {
    errors.mend(path)
    setDrafts((now) => ({ ...now, [key]: draft }))
  }
  const restart = (from: Target, decided: Drafts) => {
    setBase(from)
    setDrafts(decided)
  }
  return { base, parts, fields, stored, drafts, patch, errors, change, restart }
}

/** Sends an edit; where somebody else was faster, reads what they made of it. */
function useSending(form: ReturnType<typeof useEditForm>) {
  const { base, fields, patch, errors } = form
  const navigate = useNavigate()
  const latest = useLatest(base.id)
  const [theirs, setTheirs] = useState<Target | null>(null)
  const [made, setMade] = useState<SavedTarget | null>(null)
  const [missing, setMissing] = useState(false)
  const guard = useLeaveGuard(Object.keys(patch).length > 0 && made === null)
  const leave = (id = base.id) => {
    guard.allow()
    void navigate(paths.target(id))
  }
  const save = useSave((saved) => (saved.report_to === null ? leave(saved.id) : setMade(saved)))
  const send = async (to: Drafts, from: Target) => {
    if (!errors.passes(to)) return
    const changes = patchOf(fields, storedDrafts(fields, from), to)
    if (Object.keys(changes).length === 0) return leave()
    const error = await save.edit(from.id, { ...changes, version: from.version })
    const stale = error instanceof ApiError && error.status === STALE
    const [found, failed] = stale ? await latest() : [null, error]
    const away = failed instanceof ApiError && failed.status === NOT_THERE
    setMissing(away)
    setTheirs(found)
    errors.tell(away ? null : failed)
  }
  const add = async (body: Body) => {
    if (errors.passes(form.drafts)) errors.tell(await save.add(body))
  }
  const resolve = (decided: Drafts, from: Target) => {
    form.restart(from, decided)
    void send(decided, from)
  }
  return { theirs, made, missing, saving: save.saving, guard: guard.dialog, send, add, resolve }
}
