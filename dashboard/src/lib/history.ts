import type { History, Result, Transition } from '#/api/types'

import { percent, plural } from './format'

/** One step of the past. */
export type Bucket = History['buckets'][number]

/** What a step of the past tells of uptime. */
type Tone = 'none' | 'up' | 'most' | 'part' | 'down'

const TONE_WORD: Record<Tone, string> = {
  none: 'not known',
  up: 'up',
  most: 'mostly up',
  part: 'partly up',
  down: 'down',
}

const MOST = 0.9

export function toneOf(uptime: number | null): Tone {
  if (uptime === null) return 'none'
  if (uptime >= 1) return 'up'
  if (uptime <= 0) return 'down'
  return uptime >= MOST ? 'most' : 'part'
}

/** "up", "mostly up, 98.2 % of the time", "not known". */
export function uptimeWords(uptime: number | null): string {
  const tone = toneOf(uptime)
  if (uptime === null || tone === 'up' || tone === 'down') return TONE_WORD[tone]
  return `${TONE_WORD[tone]}, ${percent(uptime)} of the time`
}

/** "12 checks, 2 failed"; "no checks". */
export function checksWords(bucket: Pick<Bucket, 'count' | 'failures'>): string {
  if (bucket.count === 0) return 'no checks'
  const failed = bucket.failures === 0 ? '' : `, ${bucket.failures} failed`
  return plural(bucket.count, 'check') + failed
}

/** The past as it was measured: a report that told no time has zero, which is no latency. */
export const measured = (past: History): History => ({
  ...past,
  buckets: past.buckets.map((each) =>
    each.max === 0 ? { ...each, min: null, mean: null, max: null, p50: null, p95: null } : each,
  ),
})

export interface Totals {
  count: number
  failures: number
  /** Of the checks that passed; null where none did. */
  mean: number | null
  highest: number | null
}

/** A whole window. Means are weighed by the checks that passed in each step. */
export function totals(buckets: readonly Bucket[]): Totals {
  let [count, failures, sum, passed] = [0, 0, 0, 0]
  let highest: number | null = null
  for (const each of buckets) {
    count += each.count
    failures += each.failures
    if (each.mean !== null) {
      sum += each.mean * (each.count - each.failures)
      passed += each.count - each.failures
    }
    if (each.max !== null) highest = Math.max(highest ?? 0, each.max)
  }
  return { count, failures, mean: passed > 0 ? sum / passed : null, highest }
}

/** What a step's mean is made of, from the bottom up. `null` is what no stage accounts for. */
export interface Layer {
  stage: string | null
  /** Seconds for each step, 0 where the step has none of it. */
  seconds: number[]
}

const NOISE = 0.005

/** The stages that took time in a window, in the order in which a check goes through them. */
export function layers(buckets: readonly Bucket[], order: readonly string[]): Layer[] {
  const seen = new Set(buckets.flatMap((each) => Object.keys(each.stages)))
  const names = [
    ...order.filter((each) => seen.has(each)),
    ...[...seen].filter((each) => !order.includes(each)),
  ]
  const staged = names.map((stage) => ({
    stage,
    seconds: buckets.map((each) => each.stages[stage] ?? 0),
  }))
  const rest = buckets.map((each) => Math.max(0, (each.mean ?? 0) - spent(each)))
  const told = rest.some((each, index) => each > NOISE * (buckets[index]?.mean ?? 0))
  return told ? [...staged, { stage: null, seconds: rest }] : staged
}

const spent = (bucket: Bucket): number =>
  Object.values(bucket.stages).reduce((sum, each) => sum + each, 0)

/** Seconds that each state lasted, newest change first as they come; the first lasts until `now`. */
export function lasted(transitions: readonly Pick<Transition, 'at'>[], now: number): number[] {
  return transitions.map((each, index) => {
    const next = transitions[index - 1]
    const until = next === undefined ? now : Date.parse(next.at)
    return Math.max(0, (until - Date.parse(each.at)) / 1000)
  })
}

/** Results have no id: this is one for lists, unique for a target and a region. */
export const resultKey = (result: Pick<Result, 'started_at' | 'region'>): string =>
  `${result.started_at} ${result.region}`

/** Mean seconds of a layer over a whole window, weighed by the checks that passed. */
export function layerMean(layer: Layer, buckets: readonly Bucket[]): number {
  let [sum, passed] = [0, 0]
  buckets.forEach((each, index) => {
    if (each.mean === null) return
    const weight = each.count - each.failures
    sum += (layer.seconds[index] ?? 0) * weight
    passed += weight
  })
  return passed > 0 ? sum / passed : 0
}
