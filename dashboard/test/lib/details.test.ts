import { expect, it } from 'vitest'

import { bytes, detailText, keyWords, numbersTold } from '#/lib/details'

it('writes keys as words', () => {
  expect(keyWords('server_version')).toBe('Server version')
  expect(keyWords('tls_version')).toBe('TLS version')
})

it('shows whatever a driver tells as text', () => {
  expect(detailText(['a', 1, true])).toBe('a, 1, yes')
  expect(detailText([])).toBe('none')
  expect(detailText({ a: '<b>' })).toBe('{"a":"<b>"}')
  expect(detailText(null)).toBe('–')
})

it('gives numbers their unit, and what is used beside what there is', () => {
  const found = numbersTold({
    sessions_used: 3,
    sessions_max: 1000,
    memory_bytes: 96_686_080,
    lag_seconds: 0.0123,
    threads: 9,
    cpu_percent: null,
  })
  expect(found.map(({ title, text }) => `${title}: ${text}`)).toEqual([
    'Sessions used: 3 of 1,000',
    'Memory: 96.7 MB',
    'Lag: 12 ms',
    'Threads: 9',
    'CPU percent: –',
  ])
})

it('writes bytes in powers of a thousand', () => {
  expect([0, 999, 4096, 1e9].map(bytes)).toEqual(['0 B', '999 B', '4.1 kB', '1 GB'])
})
