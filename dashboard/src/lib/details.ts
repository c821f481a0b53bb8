import { count, seconds } from './format'

const ACRONYMS: Readonly<Record<string, string>> = {
  ae: 'AE',
  cpu: 'CPU',
  dns: 'DNS',
  http: 'HTTP',
  id: 'ID',
  ip: 'IP',
  pid: 'PID',
  pids: 'PIDs',
  sqlite: 'SQLite',
  tls: 'TLS',
  ttl: 'TTL',
  url: 'URL',
}

/** A key as words: `server_version` is "Server version". */
export function keyWords(key: string): string {
  const words = key
    .split('_')
    .filter(Boolean)
    .map((word) => ACRONYMS[word] ?? word)
    .join(' ')
  return words.charAt(0).toUpperCase() + words.slice(1)
}

/** A detail as text, whatever a driver found worth telling. */
export function detailText(value: unknown): string {
  if (value === null || value === undefined || value === '') return '–'
  if (typeof value === 'string') return value
  if (typeof value === 'boolean') return value ? 'yes' : 'no'
  if (typeof value === 'number') return String(value)
  if (Array.isArray(value)) return value.length > 0 ? value.map(detailText).join(', ') : 'none'
  return JSON.stringify(value)
}

export interface Told {
  key: string
  title: string
  text: string
}

/** Units are the last word of a number's name. */
const UNITS: Readonly<Record<string, (value: number) => string>> = {
  bytes: (value) => bytes(value),
  seconds: (value) => seconds(value),
  percent: (value) => `${round(value)} %`,
  days: (value) => `${round(value)} d`,
}

/** Numbers, each with its unit; what is used stands before what there is: "3 of 100". */
export function numbersTold(numbers: Readonly<Record<string, number | null>>): Told[] {
  return Object.entries(numbers).flatMap(([key, value]) => {
    const stem = /^(.*)_used$/.exec(key)?.[1]
    const most = stem === undefined ? undefined : numbers[`${stem}_max`]
    if (stem !== undefined && typeof most === 'number' && value !== null) {
      return [{ key, title: keyWords(key), text: `${round(value)} of ${round(most)}` }]
    }
    const paired = /^(.*)_max$/.exec(key)?.[1]
    if (paired !== undefined && typeof numbers[`${paired}_used`] === 'number') return []
    return [numberTold(key, value)]
  })
}

function numberTold(key: string, value: number | null): Told {
  const [, stem, unit] = /^(.*)_([a-z]+)$/.exec(key) ?? []
  const write = unit === undefined || !Object.hasOwn(UNITS, unit) ? undefined : UNITS[unit]
  if (value === null) return { key, title: keyWords(key), text: '–' }
  if (write === undefined || stem === undefined)
    return { key, title: keyWords(key), text: round(value) }
  return { key, title: keyWords(stem), text: write(value) }
}

const PREFIXES = ['B', 'kB', 'MB', 'GB', 'TB', 'PB']

/** In powers of 1,000, as disks are sold: "96.7 MB". */
export function bytes(value: number): string {
  let [rest, prefix] = [value, 0]
  while (Math.abs(rest) >= 999.5 && prefix < PREFIXES.length - 1) {
    rest /= 1000
    prefix += 1
  }
  return `${prefix === 0 ? round(rest) : Number(rest.toPrecision(3))} ${PREFIXES[prefix]}`
}

const round = (value: number): string =>
  Number.isInteger(value) ? count(value) : String(Number(value.toPrecision(4)))
