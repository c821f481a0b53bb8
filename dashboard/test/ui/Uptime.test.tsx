import { render, screen } from '@testing-library/react'
import { expect, test } from 'vitest'

import { Uptime } from '#/ui/Uptime'

test('a share is shown as a percentage that says 100 % only where it is all of the time', () => {
  render(<Uptime share={0.999_99} />)

  expect(screen.getByTitle('Uptime over 24 h: 99.99 %')).toHaveTextContent('99.99 %')
})

test('what is not known is not shown as a number', () => {
  render(<Uptime share={null} />)

  expect(screen.getByTitle('Uptime over 24 h: not known yet')).toHaveTextContent('–')
})
