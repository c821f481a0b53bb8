import { screen, within } from '@testing-library/react'
import userEvent from '@testing-library/user-event'
import { beforeEach, describe, expect, it } from 'vitest'

import { ApiError } from '#/api/problem'
import type { Target } from '#/api/types'
import { EditForm } from '#/components/form/EditForm'
import { TargetServer } from '../../target-server'
import { renderPage } from '../../render'
import { aKind, aTarget } from '../../values'

const TLS = {
  type: 'object',
  properties: { verify: { type: 'boolean', default: true }, ca: {}, cert: {} },
}
const ca = { type: 'string', title: 'CA' }
const kind = aKind({
  defaults: { interval: 30 },
  settings: {
    properties: {
      url: { type: 'string', title: 'Address' },
      tls: { ...TLS, properties: { ...TLS.properties, ca, cert: { type: 'string' } } },
      labels: { type: 'object', additionalProperties: { type: 'string' } },
    },
  },
})
const common = {
  required: ['name'],
  properties: { name: { type: 'string' }, interval: { type: 'number', default: null } },
}

class Refusing extends TargetServer {
  status = 422
  errors: { field: string; message: string }[] = []

  override async fetch(request: Request): Promise<Response> {
    this.asked.push(request)
    const { status, errors } = this
    throw new ApiError({ status, detail: 'The request holds mistakes.', errors })
  }
}

let server: Refusing
beforeEach(() => {
  server = new Refusing()
})

const stored = { interval: 30, labels: { team: 'one' }, tls: { verify: true } } as Partial<Target>

function open(more = true) {
  renderPage(<EditForm target={aTarget(stored)} kind={kind} common={common} />, { api: server })
  const user = userEvent.setup({ delay: null })
  return more ? unfolded(user) : Promise.resolve(user)
}

async function unfolded(user: ReturnType<typeof userEvent.setup>) {
  await user.click(screen.getByRole('button', { name: /^More settings/ }))
  return user
}

const test = (user: ReturnType<typeof userEvent.setup>) =>
  user.click(screen.getByRole('button', { name: 'Test' }))

it('does not save a table in which a name stands twice, and says so at the field', async () => {
  const user = await open()
  await user.click(screen.getByRole('button', { name: 'Add to labels' }))
  await user.type(screen.getByRole('textbox', { name: 'Labels 2, name' }), 'team')
  await user.type(screen.getByRole('textbox', { name: 'Labels 2, value' }), 'two')
  await user.click(screen.getByRole('button', { name: /^Save changes/ }))
  expect(screen.getByText('“team” stands there twice.')).toBeVisible()
  expect(screen.getByRole('textbox', { name: 'Labels 1, name' })).toHaveFocus()
  await test(user)
  expect(server.asked).toEqual([])
})

it('keeps the mistakes of the neighbours of a field that is mended', async () => {
  server.errors = [
    { field: 'tls.ca', message: 'is no file' },
    { field: 'tls.cert', message: 'is no certificate' },
  ]
  const user = await open()
  await test(user)
  expect(await screen.findByText('is no file')).toBeVisible()
  await user.type(screen.getByRole('textbox', { name: 'CA' }), 'x')
  expect(screen.queryByText('is no file')).toBeNull()
  expect(screen.getByRole('textbox', { name: 'Cert' })).toHaveAccessibleDescription(
    'is no certificate',
  )
})

describe('a refused test', () => {
  const panel = () => screen.getByRole('region', { name: 'Test' })

  it('tells at the field alone what stands there', async () => {
    server.errors = [{ field: 'url', message: 'has no host' }]
    const user = await open(false)
    await test(user)
    expect(await screen.findByText('has no host')).toBeVisible()
    expect(within(panel()).getByText('The test could not run')).toBeVisible()
    expect(document.body).not.toHaveTextContent('The request holds mistakes')
    await user.click(screen.getByRole('button', { name: /^Save changes/ }))
    expect(screen.getAllByText('has no host')).toHaveLength(1)
  })

  it('tells in its panel, and there alone, what stands at no field', async () => {
    server.errors = [
      { field: 'url', message: 'has no host' },
      { field: '', message: 'is too much at once' },
    ]
    const user = await open(false)
    await test(user)
    expect(await screen.findByText('is too much at once')).toBeVisible()
    expect(screen.getAllByText(/has no host/)).toHaveLength(1)
    expect(screen.getAllByRole('alert')).toHaveLength(1)
  })
})

it('counts no stored default among what is set', async () => {
  await open(false)
  expect(screen.getByRole('button', { name: 'More settings 1 set' })).toBeVisible()
})

describe('a target that was removed meanwhile', () => {
  const removed = (gone: boolean) => {
    const at = '/targets/1/edit'
    const form = <EditForm target={aTarget(stored)} kind={kind} common={common} gone={gone} />
    renderPage(form, { api: server, at })
    return userEvent.setup({ delay: null })
  }
  const words = /^Somebody removed orders while you edited it\./

  it('can be added as a new one, and whole', async () => {
    const user = removed(true)
    expect(screen.getByRole('alert')).toHaveTextContent('It is gone')
    expect(screen.getByText(words)).toBeVisible()
    await user.click(screen.getByRole('button', { name: /^Add as a new target/ }))
    expect(server.asked.map(({ method }) => method)).toEqual(['POST'])
    expect(await server.asked[0]?.json()).toMatchObject({
      kind: 'postgresql',
      name: 'orders',
      labels: { team: 'one' },
    })
  })

  it('is told at the latest when it is saved', async () => {
    const user = removed(false)
    server.status = 404
    await user.type(screen.getByRole('textbox', { name: /^Name/ }), '!')
    await user.click(screen.getByRole('button', { name: /^Save changes/ }))
    expect(await screen.findByText(words)).toBeVisible()
    expect(screen.getAllByRole('alert')).toHaveLength(1)
    expect(screen.getByRole('textbox', { name: /^Name/ })).toHaveValue('orders!')
  })
})
