import { screen } from '@testing-library/react'
import { expect, it } from 'vitest'

import { AddPage } from '#/pages/add'
import { EditPage } from '#/pages/edit'
import { ImportPage } from '#/pages/import'

import { renderPage } from '../../render'
import { TargetServer } from '../../target-server'

it.each([
  ['add', AddPage, 'Adding targets is not yours to do', 'add targets.'],
  ['edit', EditPage, 'Editing targets is not yours to do', 'edit targets.'],
  ['import', ImportPage, 'Adding targets is not yours to do', 'add targets.'],
])('says to a viewer of the page to %s who may', (_, Page, title, may) => {
  const at = '/targets/1'
  renderPage(<Page />, { role: 'viewer', at, route: '/targets/:id', api: new TargetServer() })
  expect(screen.getByRole('heading', { name: title })).toBeVisible()
  expect(screen.getByText(/^You are signed in as viewer: you may look\./)).toHaveTextContent(may)
  expect(screen.queryByRole('button')).toBeNull()
  expect(screen.queryByRole('textbox')).toBeNull()
})
