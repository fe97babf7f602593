import { UsageError } from '@sallyport/compare/internal/text'
import { describe, expect, test } from 'vitest'
import { getScenario } from '../../test/sample-report.js'
import { usualCall } from '../model/payloads.js'
import { type Arm, type Case, latency, type Scenario } from '../model/scenario.js'
import { allScenarios, choose, leaveOut, parseFilter, select } from './index.js'

const noise = getScenario('noise')
const throughput = getScenario('throughput')

describe('a filter', () => {
  const arm = (id: string): Arm => ({ id, title: id, open: () => Promise.reject(new Error('not opened here')) })
  const createCase = (id: string): Case => ({
    id,
    title: id,
    task: { loop: 'calls' },
    payload: usualCall,
    figures: [latency('p50', 'p50')],
  })
  const scenarios: Scenario[] = [
    {
      id: 'call',
      title: '',
      about: '',
      arms: [arm('raw'), arm('json'), arm('gate')],
      cases: [createCase('1'), createCase('64')],
      rows: 'arms',
    },
    {
      id: 'start',
      title: '',
      about: '',
      arms: [arm('worker'), arm('json')],
      cases: [createCase('start')],
      rows: 'cases',
    },
  ]
  const paths = (filter: string): string[] =>
    select(scenarios, parseFilter(filter)).flatMap(({ id, cases, arms }) =>
      cases.flatMap(inCase => arms.map(({ id: armId }) => `${id}/${inCase.id}/${armId}`)),
    )

  test('selects a scenario with its cases and arms', () => {
    expect(paths('call')).toHaveLength(6)
  })

  test('selects a case with all arms, and an arm with all cases and the reference', () => {
    expect(paths('call/64/')).toEqual(['call/64/raw', 'call/64/json', 'call/64/gate'])
    expect(paths('gate')).toEqual(['call/1/raw', 'call/1/gate', 'call/64/raw', 'call/64/gate'])
  })

  test('is a regular expression without regard to case', () => {
    expect(paths('START')).toEqual(['start/start/worker', 'start/start/json'])
    expect(paths('^start|gate$')).toEqual([
      'call/1/raw',
      'call/1/gate',
      'call/64/raw',
      'call/64/gate',
      'start/start/worker',
      'start/start/json',
    ])
    expect(() => parseFilter('(')).toThrow('--filter: Invalid regular expression')
  })
})

describe('the chosen scenarios', () => {
  const ours = allScenarios()
  const ids = (filter: string | null): string[] => choose(ours, filter).map(({ id }) => id)
  const byName = ours.filter(({ main = false }) => !main).map(({ id }) => id)

  test('are the main ones without a filter', () => {
    expect(ids(null)).toEqual(ours.filter(({ main }) => main).map(({ id }) => id))
  })

  test('include one that is measured only by name when the filter names it', () => {
    expect(byName.length).toBeGreaterThan(2)
    for (const id of byName) {
      expect(ids(id)).toContain(id)
      expect(ids(`${id}/`)).toEqual(['noise', id])
      const [inCase] = ours.find(scenario => scenario.id === id)!.cases
      expect(ids(`${id}/${inCase!.id}`)).toContain(id)
    }
    expect(ids('msgpack').filter(id => byName.includes(id))).toEqual([])
    expect(ids('raw').filter(id => byName.includes(id))).toEqual([])
  })

  test('include the noise check', () => {
    expect(ids('throughput')[0]).toBe('noise')
    expect(ids('noise')).toEqual(['noise'])
  })

  test('are exactly what the filter selects for a comparison, without the noise check and references', () => {
    const [chosen, ...others] = choose(ours, 'throughput/64/ring', true)
    expect(others).toEqual([])
    expect(chosen!.arms.map(({ id }) => id)).toEqual(['ring-json', 'ring-msgpack'])
    expect(choose(ours, null, true).map(({ id }) => id)).not.toContain('noise')
  })

  test('begin with the first calls of a process, which a busy machine changes most', () => {
    expect(ids(null).slice(0, 2)).toEqual(['few-calls', 'noise'])
    expect(ids('few-calls')).toEqual(['few-calls', 'noise'])
  })

  test('are listed when the filter selects none of them', () => {
    expect(() => ids('nonsense')).toThrow(UsageError)
    for (const { id } of ours) expect(() => ids('nonsense')).toThrow(id)
    expect(() => ids('(')).toThrow(/--filter: Invalid/)
  })
})

describe('scenarios that this machine cannot measure', () => {
  const lacking: Scenario = {
    ...throughput,
    id: 'far',
    arms: [{ ...throughput.arms[0], lacks: () => 'there is no ferry' }, ...throughput.arms.slice(1)],
  }

  test('are left out with their reference, with a line that names the reason', async () => {
    expect(await leaveOut([noise, throughput, lacking])).toEqual({
      scenarios: [noise, throughput],
      leftOut: ['far is left out: there is no ferry'],
    })
    expect(await leaveOut([noise])).toEqual({ scenarios: [noise], leftOut: [] })
  })

  test('lose only the arms that this machine cannot measure, each with a line', async () => {
    const [first, second] = [throughput.arms[0], throughput.arms[1]!]
    const scenario: Scenario = { ...throughput, arms: [first, { ...second, lacks: () => 'there is no wall' }] }
    expect(await leaveOut([scenario])).toEqual({
      scenarios: [{ ...scenario, arms: [first] }],
      leftOut: [`throughput/*/${second.id} is left out: there is no wall`],
    })
  })

  test('are a usage error when nothing else was chosen', async () => {
    await expect(leaveOut([noise, lacking])).rejects.toThrow('far is left out: there is no ferry')
  })
})
