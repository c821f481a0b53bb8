import { describe, expect, it } from 'vitest'

import { kindOf, pieces, schemeOf, suggestedName, withoutPassword } from '#/lib/address'

const KINDS = [
  { name: 'http', schemes: ['http', 'https'] },
  { name: 'postgresql', schemes: ['postgresql', 'postgres'] },
  { name: 'sqlalchemy', schemes: ['sqlalchemy+*'] },
  { name: 'dicomweb', schemes: ['dicomweb+http', 'dicomweb+https'] },
  { name: 'push', schemes: [] },
]

describe('kindOf', () => {
  it.each([
    ['https://a', 'http'],
    ['  POSTGRES://a ', 'postgresql'],
    ['postgresql+asyncpg://a', 'postgresql'],
    ['jdbc:postgresql://a/b', 'postgresql'],
    ['sqlalchemy+oracle://a', 'sqlalchemy'],
    ['dicomweb+https://a', 'dicomweb'],
    ['gopher://a', undefined],
    ['db.example:5432', undefined],
    ['', undefined],
  ])('of %j is %s', (url, kind) => {
    expect(kindOf(url, KINDS)?.name).toBe(kind)
  })

  it('tells an unknown scheme from no address at all', () => {
    expect(schemeOf('gopher://a')).toBe('gopher')
    expect(schemeOf('a.example')).toBeNull()
  })
})

describe('suggestedName', () => {
  it.each([
    ['postgresql://u:p@db.example:5432/orders?sslmode=require', 'db.example/orders'],
    ['https://shop.example/health/', 'shop.example/health'],
    ['redis://[::1]:6379/0', '[::1]/0'],
    ['process://nginx', 'nginx'],
    ['sqlite:////var/lib/x.db', 'x.db'],
    ['db.example', ''],
  ])('of %s is %j', (url, name) => {
    expect(suggestedName(url)).toBe(name)
  })

  it.each([
    'postgres://u:s3cret/with@db.example/x',
    'postgres://u:s3cret?with@db.example/x',
    'postgres://u:s3cret@with@db.example/x',
    'https://h/x?user=a@b&password=s3cret',
    'https://h/x#s3cret',
    'postgres://u:s3cret',
    'postgres://u:s3cret/ha',
  ])('holds nothing of the login in %s', (url) => {
    expect(suggestedName(url)).not.toContain('s3cret')
  })
})

describe('pieces', () => {
  it('end after what parts an address', () => {
    const address = 'postgresql://app:***@db.example:5432/orders?sslmode=require&x=1'
    expect(pieces(address).map(({ text }) => text)).toEqual([
      'postgresql://',
      'app:***@',
      'db.example:5432/',
      'orders?',
      'sslmode=require&',
      'x=1',
    ])
  })

  it.each(['', 'x', '///', 'a b\n/c'])('of %j are the whole', (address) => {
    const all = pieces(address)
    expect(all.map(({ text }) => text).join('')).toBe(address)
    for (const { at, text } of all) expect(address.slice(at, at + text.length)).toBe(text)
  })
})

describe('withoutPassword', () => {
  it.each([
    [
      'postgresql://app:s3cret@db.example:5432/orders',
      'postgresql://app:•••@db.example:5432/orders',
    ],
    ['redis://:s3/c@ret@cache.example', 'redis://:•••@cache.example'],
    ['amqp://a:b@c/v?password=x&y=1&api_key=z', 'amqp://a:•••@c/v?password=•••&y=1&api_key=•••'],
    ['tcp://db.example:5432', 'tcp://db.example:5432'],
    ['http://[::1]:80/a@b', 'http://[::1]:80/a@b'],
    ['not an address', 'not an address'],
  ])('of %s is %s', (url, shown) => {
    expect(withoutPassword(url)).toBe(shown)
  })
})
