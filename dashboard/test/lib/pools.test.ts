import { describe, expect, it } from 'vitest'

import type { Severity } from '#/api/types'
import {
  filterPools,
  leakWords,
  poolName,
  poolsWords,
  readPoolFilters,
  standingOf,
  usedWords,
  worstAlert,
  worstFirst,
  writePoolFilters,
  processFullness,
} from '#/lib/pools'

import { aLeak, anAlert, aPool, aPoolOf } from '../pool-values'

const alerted = (id: number, service: string, severity: Severity) =>
  aPoolOf(id, service, { alerts: [anAlert({ severity })] })

describe('how a pool stands', () => {
  it('is what the worst alert says', () => {
    const pool = aPool({ alerts: [anAlert(), anAlert({ rule: 'errors', severity: 'critical' })] })
    expect(standingOf(pool)).toBe('critical')
    expect(worstAlert(pool)?.rule).toBe('errors')
  })

  it('is of note in a process that has no connection left', () => {
    expect(processFullness({ used: 10, limit: 10 })).toBe('critical')
    expect(processFullness({ used: 9, limit: 10 })).toBeNull()
    expect(processFullness({ used: 9, limit: null })).toBeNull()
  })

  it('is silent where nobody reports it, and stopped where nobody tracks it', () => {
    expect(standingOf(aPool({ totals: { instances: 0 } }))).toBe('silent')
    expect(standingOf(aPool({ active: false }))).toBe('stopped')
    expect(standingOf(aPool({ alerts: [anAlert()], enabled: false }))).toBe('paused')
    expect(standingOf(aPool())).toBe('fine')
  })

  it('is ended where every process said so, at once and hours later', () => {
    const none = { instances: 0 }
    const instances = aPool().instances.map((each) => ({ ...each, live: false, ended: true }))
    const told = anAlert({ rule: 'inactive', severity: 'warning' })
    expect(standingOf(aPool({ instances, totals: none }))).toBe('ended')
    expect(standingOf(aPool({ instances: [], alerts: [told], totals: none }))).toBe('ended')
    const lost = anAlert({ rule: 'inactive', severity: 'critical' })
    expect(standingOf(aPool({ instances: [], alerts: [lost], totals: none }))).toBe('critical')
  })

  it('tells of two alerts that are as severe the one that says what to do', () => {
    const pool = aPool({ alerts: [anAlert({ rule: 'waiting' }), anAlert({ rule: 'abandoned' })] })
    expect(worstAlert(pool)?.rule).toBe('abandoned')
  })
})

describe('the order of pools', () => {
  it('has the worst first, then the fullest, then those whose name comes first', () => {
    const pools = [
      aPoolOf(1, 'z'),
      aPoolOf(2, 'b', { totals: { utilization: 0.7 } }),
      alerted(3, 'c', 'warning'),
      alerted(4, 'd', 'critical'),
      aPoolOf(5, 'a'),
      aPoolOf(6, 'e', { totals: { instances: 0 } }),
    ]
    expect(worstFirst(pools).map(({ id }) => id)).toEqual([4, 3, 6, 2, 5, 1])
  })
})

describe('the words', () => {
  it('tell use against the limit, and use alone where there is none', () => {
    expect(usedWords({ used: 7, limit: 10 })).toBe('7 of 10')
    expect(usedWords({ used: 1234, limit: null })).toBe('1,234')
  })

  it('count leaks by class, the certain ones first', () => {
    const leaks = [aLeak({ kind: 'busy' }), aLeak({ kind: 'suspect' }), aLeak(), aLeak()]
    expect(leakWords(leaks)).toEqual(['2 abandoned', '1 suspect', '1 busy'])
  })

  it('sum the page up', () => {
    expect(poolsWords([aPool()])).toBe('1 pool of 1 service, all fine')
    const pools = [alerted(1, 'a', 'critical'), alerted(2, 'a', 'warning'), aPoolOf(3, 'b')]
    expect(poolsWords(pools)).toBe('3 pools of 2 services: 1 critical, 1 warning')
  })
})

describe('the filters', () => {
  const pools = [
    aPoolOf(1, 'shop'),
    aPoolOf(2, 'billing', { sites: [], leaks: [aLeak({ site: 'pay.py:7', kind: 'suspect' })] }),
  ]
  const found = (address: string) =>
    filterPools(pools, readPoolFilters(new URLSearchParams(address))).map(poolName)

  it('look for every word in names, server, lines and leaks', () => {
    expect(found('q=ORDERS.py:88')).toEqual(['shop/main'])
    expect(found('q=pay.py:7+suspect')).toEqual(['billing/main'])
    expect(found('q=db.example')).toEqual(['shop/main', 'billing/main'])
    expect(found('q=pay.py+shopping')).toEqual([])
  })

  it('leave one service', () => {
    expect(found('service=billing')).toEqual(['billing/main'])
    expect(found('service=gone')).toEqual([])
  })

  it('stand in the address only where they filter', () => {
    expect(writePoolFilters({ q: '', service: '' }).toString()).toBe('')
    const filters = { q: 'a b', service: 'shop' }
    expect(readPoolFilters(writePoolFilters(filters))).toEqual(filters)
  })

  it('leave the window of a service’s past as it is, which goes with the service', () => {
    const before = new URLSearchParams('service=shop&window=7d')
    const written = (service: string) => writePoolFilters({ q: 'a', service }, before).toString()
    expect(written('billing')).toBe('q=a&service=billing&window=7d')
    expect(written('')).toBe('q=a')
  })
})
