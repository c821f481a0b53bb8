import { Stack } from '@mantine/core'
import { type RefObject, useEffect, useMemo, useRef, useState } from 'react'
import { useLocation, useNavigate, useSearchParams } from 'react-router'

import type { Kind, SavedTarget } from '#/api/types'
import { kindOf, schemeOf, suggestedName } from '#/lib/address'
import { asText, type Body, bodyOf, type Draft, type Drafts } from '#/lib/form'
import { paths } from '#/lib/paths'
import { type Field, placeholderOf, type Schema } from '#/lib/jsonSchema'
import { ErrorNotice } from '#/ui/ErrorNotice'
import { helpOf } from '#/ui/Help'

import { AddressText } from './AddressText'
import { FormActions } from './FormActions'
import classes from './form.module.css'
import { KindSelect } from './KindSelect'
import { useFields, useParts } from './parts'
import { ReportTo } from './ReportTo'
import { SchemaForm } from './SchemaForm'
import { TestPanel } from './TestPanel'
import { useFormErrors } from './useFormErrors'
import { useLeaveGuard } from './useLeaveGuard'
import { useSave } from './useSave'
import { useTest } from './useTest'

interface AddFormProps {
  kinds: readonly Kind[]
  /** The schema of what every target has, whatever its kind. */
  common: Schema
}

/** From a pasted address to a stored target. */
export function AddForm({ kinds, common }: AddFormProps) {
  const ref = useRef<HTMLFormElement>(null)
  const form = useAddForm(kinds, common, ref)
  const { kind, fields, drafts, errors, body } = form
  const { test, run, cancel } = useTest()
  const navigate = useNavigate()
  const [made, setMade] = useState<SavedTarget | null>(null)
  const guard = useLeaveGuard(made === null && Object.keys(drafts).length > 0)
  const save = useSave((target) => {
    guard.allow()
    if (target.report_to === null) void navigate(paths.target(target.id))
    else setMade(target)
  })
  if (made !== null) return <ReportTo target={made} />

  const start = async () => {
    if (errors.passes(drafts)) errors.tell(await run(body))
  }
  const submit = async () => {
    if (errors.passes(drafts)) errors.tell(await save.add(body))
  }
  const stale = test.of !== JSON.stringify(body)
  return (
    <form
      ref={ref}
      noValidate
      onSubmit={(event) => {
        event.preventDefault()
        void (kind?.passive === true ? submit() : start())
      }}
    >
      <Stack gap="md">
        {errors.top !== null && errors.said !== test.error && <ErrorNotice error={errors.top} />}
        <AddressInput form={form} />
        <div className={classes.columns}>
          <Stack gap="md">
            <KindSelect
              kinds={kinds}
              value={kind}
              error={errors.at.get('kind')}
              onChange={form.choose}
            />
            {kind !== null && (
              <SchemaForm
                key={kind.name}
                parts={fields}
                drafts={drafts}
                errors={errors.at}
                onChange={form.change}
              />
            )}
          </Stack>
          {kind !== null && (
            <div className={classes.aside}>
              <TestPanel test={test} kind={kind} stale={stale} errors={errors} />
            </div>
          )}
        </div>
        {kind !== null && (
          <FormActions
            kind={kind}
            test={test}
            stale={stale}
            saving={save.saving}
            verb="Save"
            onCancel={cancel}
            onSave={() => void submit()}
          />
        )}
      </Stack>
      {guard.dialog}
    </form>
  )
}

type Form = ReturnType<typeof useAddForm>
const NAME = 'name'
const URL = 'url'

function useAddForm(
  kinds: readonly Kind[],
  common: Schema,
  ref: RefObject<HTMLFormElement | null>,
) {
  const [search, setSearch] = useSearchParams()
  const [drafts, setDrafts] = useState<Drafts>(useBrought())
  const [named, setNamed] = useState(false)
  const url = asText(drafts[URL])
  const chosen = kinds.find(({ name }) => name === search.get('kind')) ?? null
  const kind = chosen ?? kindOf(url, kinds)
  const all = useParts(kind, common)
  const own = useFields(all)
  const known = useMemo(() => [...own, KIND_FIELD], [own])
  const errors = useFormErrors(known, ref)
  const address = own.find((field) => field.key === URL)

  const set = (more: Drafts) => setDrafts((now) => ({ ...now, ...more }))
  const choose = (to: Kind | null) => {
    errors.tell(null) // what was said was said of another kind's form
    setSearch(to === null ? {} : { kind: to.name }, { replace: true })
  }
  const change = (key: string, draft: Draft, path: string) => {
    errors.mend(path)
    if (key === NAME) setNamed(asText(draft) !== '')
    set({ [key]: draft })
  }
  const paste = (text: string) => {
    errors.mend(URL)
    errors.mend('kind')
    set({ [URL]: text, ...(named ? {} : { [NAME]: suggestedName(text) }) })
    const meant = kindOf(text, kinds)
    if (chosen === null && meant !== kind) errors.tell(null)
    if (chosen !== null && meant !== null && !chosen.schemes.includes(schemeOf(text) ?? '')) {
      choose(null)
    }
  }
  const body: Body =
    kind === null
      ? { url: url.trim() }
      : {
          ...bodyOf(own, drafts),
          kind: kind.name,
        }
  // The address has the big field at the top.
  const fields = all.map((part) => ({
    ...part,
    fields: part.fields.filter((field) => field !== address),
  }))
  return { kind, kinds, address, fields, drafts, errors, body, url, choose, change, paste }
}

/** The address that was pasted on the page before. The browser's history, which may be kept, forgets it. */
function useBrought(): Drafts {
  const { state, search } = useLocation()
  const navigate = useNavigate()
  const { address } = (state ?? {}) as { address?: unknown }
  useEffect(() => {
    if (address !== undefined) void navigate({ search }, { replace: true, state: null })
  }, [address, search, navigate])
  return typeof address === 'string' ? { [URL]: address, [NAME]: suggestedName(address) } : {}
}

const KIND_FIELD: Field = {
  key: 'kind',
  path: 'kind',
  title: 'Kind',
  help: '',
  example: undefined,
  fallback: undefined,
  required: true,
  main: true,
  shape: { is: 'text', long: false },
}

function AddressInput({ form }: { form: Form }) {
  const { kind, kinds, address, url, errors, paste } = form
  const [several, setSeveral] = useState(false)
  if (kind !== null && address === undefined && url === '') return null
  const scheme = schemeOf(url)
  const unknown = kind === null && scheme !== null
  const bare = kind === null && scheme === null && url.trim() !== ''
  const words = several
    ? 'That was more than one line: only addresses one by one here. Import takes them all.'
    : unknown
      ? `No kind takes ${scheme}:// addresses. Choose one below if it is spelled differently.`
      : bare
        ? `An address begins with what it speaks, such as ${examplesOf(kinds)}. Write that before it, or choose a kind below.`
        : (address?.help ?? `Such as ${examplesOf(kinds)}`)
  return (
    <AddressText
      size="lg"
      label="Paste an address"
      description={helpOf(words)}
      placeholder={(address && placeholderOf(address)) || EXAMPLE}
      error={errors.at.get(URL)}
      // It is what the page is for: whoever comes here comes to paste.
      ref={focusOnce}
      value={url}
      onPaste={(event) => setSeveral(/\S\s*\n\s*\S/.test(event.clipboardData.getData('text')))}
      onText={paste}
    />
  )
}

const EXAMPLE = 'postgresql://user:password@host:5432/database'
const focusOnce = (input: HTMLInputElement | null) => input?.focus()
const SHOWN = 4
const examplesOf = (kinds: readonly Kind[]): string =>
  kinds
    .flatMap((kind) => kind.schemes.slice(0, 1))
    .slice(0, SHOWN)
    .map((scheme) => `${scheme}://`)
    .join(', ')
