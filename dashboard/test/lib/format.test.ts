import { describe, expect, it } from 'vitest'

import { percent, plural, seconds } from '#/lib/format'

describe('seconds', () => {
  it.each([
    [0, '0 ms'],
    [0.00042, '0.42 ms'],
    [0.0031, '3.1 ms'],
    [0.0124, '12 ms'],
    [0.9994, '999 ms'],
    [0.9996, '1 s'],
    [1.234, '1.2 s'],
    [9.96, '10 s'],
    [61.2, '61 s'],
  ])('%s is "%s"', (value, words) => {
    expect(seconds(value)).toBe(words)
  })
})

describe('percent', () => {
  it.each([
    [1, '100 %'],
    [0.999_999, '99.99 %'],
    [0.9995, '99.95 %'],
    [0.5, '50 %'],
    [0.000_001, '0.01 %'],
    [0, '0 %'],
  ])('%s is "%s": all and nothing are facts, not roundings', (share, words) => {
    expect(percent(share)).toBe(words)
  })
})

describe('plural', () => {
  it('parts thousands and knows one from many', () => {
    expect([0, 1, 1234].map((value) => plural(value, 'target'))).toEqual([
      '0 targets',
      '1 target',
      '1,234 targets',
    ])
    expect(plural(2, 'address', 'addresses')).toBe('2 addresses')
  })
})
