import { describe, expect, it } from 'vitest'

import type { StageResult } from '#/api/types'
import { finished, running } from '#/lib/waterfall'

const stage = (
  name: StageResult['name'],
  status: StageResult['status'],
  seconds: number | null = null,
): StageResult => ({ name, status, seconds })

describe('a finished check', () => {
  const trail = [
    stage('dns', 'passed', 0.01),
    stage('tcp', 'passed', 0.03),
    stage('protocol', 'passed', 0.02),
    stage('tls', 'skipped'),
    stage('auth', 'failed', 0.02),
    stage('function', 'skipped'),
  ]

  it('lays each stage where the one before it ended, in the order of the trail', () => {
    const { steps, span, rest } = finished(trail, 0.1)
    expect(steps.map((each) => each.stage)).toEqual(trail.map((each) => each.name))
    expect(span).toBe(0.1)
    expect(rest).toBeCloseTo(0.02)
    expect(steps[1]?.bar?.from).toBeCloseTo(0.1)
    expect(steps[1]?.bar?.width).toBeCloseTo(0.3)
    expect(steps[4]?.bar?.from).toBeCloseTo(0.6)
  })

  it('tells a stage that was not needed from one that was not reached', () => {
    const verdicts = finished(trail, 0.1).steps.map((each) => each.verdict)
    expect(verdicts).toEqual(['passed', 'passed', 'passed', 'unused', 'failed', 'unreached'])
  })

  it('gives no bar to a stage without a time of its own', () => {
    const [only] = finished([stage('auth', 'passed')], 0.5).steps
    expect(only).toMatchObject({ verdict: 'passed', seconds: null, bar: null })
  })

  it('never draws beyond its axis, though the stages add up to more than the whole', () => {
    const { steps, span } = finished(
      [stage('dns', 'passed', 0.2), stage('tcp', 'passed', 0.2)],
      0.3,
    )
    expect(span).toBe(0.4)
    expect((steps[1]?.bar?.from ?? 0) + (steps[1]?.bar?.width ?? 0)).toBeCloseTo(1)
  })

  it('copes with a check that took no time at all', () => {
    expect(finished([stage('dns', 'passed', 0)], 0).steps[0]?.bar).toEqual({ from: 0, width: 0 })
  })
})

describe('a check that runs', () => {
  const order = ['dns', 'tcp', 'tls', 'auth', 'function']

  const told = (stages: StageResult[], began: StageResult['name'] | null = null) => ({
    stages,
    began,
  })

  it('has all rows from the start, and says of none that it runs before that is told', () => {
    const verdicts = running(order, told([]), null).steps.map((each) => each.verdict)
    expect(verdicts).toEqual(order.map(() => 'waiting'))
  })

  it('says which stage runs once that is told', () => {
    const { steps } = running(order, told([], 'dns'), null)
    expect(steps.map((each) => each.stage)).toEqual(order)
    expect(steps.map((each) => each.verdict)).toEqual([
      'running',
      'waiting',
      'waiting',
      'waiting',
      'waiting',
    ])
  })

  it('says of a stage that was passed over that it was not so far', () => {
    const seen = [
      stage('dns', 'passed', 0.1),
      stage('tcp', 'passed', 0.1),
      stage('auth', 'passed', 0.1),
    ]
    const over = running(order, told(seen), null).steps.map((each) => each.verdict)
    expect(over).toEqual(['passed', 'passed', 'notSoFar', 'passed', 'waiting'])
  })

  it('takes the stage that is told and not the next in line', () => {
    const seen = [stage('dns', 'passed', 0.1), stage('tcp', 'passed', 0.1)]
    const verdicts = running(order, told(seen, 'auth'), null).steps.map((each) => each.verdict)
    expect(verdicts).toEqual(['passed', 'passed', 'notSoFar', 'running', 'waiting'])
  })

  it('reaches nothing more once a stage has failed', () => {
    const seen = [stage('dns', 'passed', 0.1), stage('tcp', 'failed', 0.1)]
    const verdicts = running(order, told(seen), null).steps.map((each) => each.verdict)
    expect(verdicts).toEqual(['passed', 'failed', 'unreached', 'unreached', 'unreached'])
  })

  it('keeps the axis of the check before until it takes longer', () => {
    const before = finished([stage('dns', 'passed', 1)], 1)
    expect(running(order, told([stage('dns', 'passed', 0.5)]), before).span).toBe(1)
    expect(running(order, told([stage('dns', 'passed', 2)]), before).span).toBe(2)
  })

  it('shows a stage that the kind did not announce', () => {
    const { steps } = running(['dns'], told([stage('permission', 'passed', 0.1)], 'tls'), null)
    expect(steps.map((each) => each.stage)).toEqual(['dns', 'permission', 'tls'])
  })
})
