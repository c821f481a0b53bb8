import { render, screen } from '@testing-library/react'
import { expect, test } from 'vitest'

import { Sparkline, sparkPath } from '#/ui/Sparkline'

const format = (value: number) => `${value} s`

test('the line is said in words', () => {
  render(<Sparkline points={[2, null, 5]} format={format} label="Latency over 24 h" />)

  expect(screen.getByRole('img', { name: 'Latency over 24 h: 2 s to 5 s' })).toBeInTheDocument()
})

test('where less than two values are known there is no line', () => {
  const { container } = render(<Sparkline points={[null, 3]} format={format} label="x" />)

  expect(container).toBeEmptyDOMElement()
})

test('the line is broken where a value is missing', () => {
  expect(sparkPath([1, 1, null, 1]).match(/M/g)).toHaveLength(2)
  expect(sparkPath([1, 1, 1]).match(/M/g)).toHaveLength(1)
})

test('nothing but zeros is a line on the ground, not a broken one', () => {
  expect(sparkPath([0, 0])).not.toContain('NaN')
})

test('more points than there is room for are drawn as their means', () => {
  const day = Array.from({ length: 144 }, (_, index) => index % 3)

  const places = sparkPath(day).match(/[ML][^MLh]*/g) ?? []

  expect(places).toHaveLength(48)
  expect(new Set(places.map((place) => place.split(' ')[1])).size).toBe(1)
})
