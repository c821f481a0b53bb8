import { expect, it } from 'vitest'

import { elsewhere, whyLocked } from '#/lib/origin'

import { aTarget } from '../values'

it('says nothing of what is changed here, whatever its labels', () => {
  expect(elsewhere(aTarget({ labels: { mooring: 'self' } }))).toBeNull()
})

it('sends nobody to a file for what Mooring brought itself', () => {
  const own = aTarget({ name: 'Mooring page', origin: 'file', labels: { mooring: 'self' } })
  expect(elsewhere(own)).toBe('comes with Mooring')
  expect(whyLocked(own)).toBe('Mooring page comes with Mooring itself, and cannot be changed.')
  const filed = aTarget({ name: 'filed', origin: 'file' })
  expect(elsewhere(filed)).toBe('edited in mooring.toml')
  expect(whyLocked(filed)).toBe('filed belongs to the configuration file: change it there.')
})
