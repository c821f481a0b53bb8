import { MantineProvider } from '@mantine/core'
import { render, screen } from '@testing-library/react'
import { expect, it } from 'vitest'

import { running } from '#/lib/waterfall'
import { Waterfall } from '#/ui/Waterfall'

it('shows settings as code, as the API writes them', () => {
  const proves = { function: 'it answers `send` with something' }
  render(
    <MantineProvider env="test">
      <Waterfall
        fall={running(['function'], { stages: [], began: null }, null)}
        proves={proves}
        label="Stages"
      />
    </MantineProvider>,
  )
  expect(screen.getByText('send').tagName).toBe('CODE')
  expect(screen.getByRole('list')).not.toHaveTextContent('`')
})
