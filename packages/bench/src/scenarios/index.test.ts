import { UsageError } from '@sallyport/protocol/internal/command-line'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'
import { getScenario } from '../../test/sample-report.js'
import { payloadBytes, usualCall } from '../model/payloads.js'
import { type Arm, type Case, latency, type Mode, type Scenario } from '../model/scenario.js'
import { allScenarios, choose, leaveOut, loadScenarios, parseFilter, select } from './index.js'

const formats = getScenario('formats')
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
  const ids = (filter: string | null, mode?: Mode): string[] => choose(ours, filter, mode).map(({ id }) => id)
  const byName = ours.filter(({ from }) => !from).map(({ id }) => id)

  test('are the formats and the sandboxes without a filter, and more in a full run', () => {
    expect(ids(null)).toEqual(['formats', 'sandboxes'])
    expect(ids(null, 'full')).toEqual(['few-calls', 'formats', 'speed', 'cipher', 'shapes', 'sandboxes'])
  })

  test('have two sizes without a filter, and all in a full run or by name', () => {
    const getSizes = (...given: [string | null, Mode?]): string[] =>
      choose(ours, ...given)
        .filter(({ id }) => id === 'formats')
        .flatMap(({ cases }) => cases.map(({ id }) => id))
    const all = formats.cases.map(({ id }) => id)
    expect(getSizes(null)).toEqual(all.slice(0, 2))
    expect(getSizes(null, 'full')).toEqual(all)
    expect(getSizes('formats/')).toEqual(all)
  })

  test("of a user's large document are those of a small one", async () => {
    const directory = mkdtempSync(join(tmpdir(), 'sallyport-payload-'))
    onTestFinished(() => rmSync(directory, { recursive: true }))
    const getCases = async (length: number): Promise<string[]> => {
      const file = join(directory, 'payload.json')
      writeFileSync(file, JSON.stringify('x'.repeat(length)))
      return choose(await loadScenarios(file), null).flatMap(({ cases }) => cases.map(({ id }) => id))
    }
    expect(await getCases(200_000)).toEqual(await getCases(20))
  })

  test('include one that is measured only by name when the filter names it', () => {
    expect(byName).toContain('sizes')
    for (const id of byName) {
      expect(ids(id)).toContain(id)
      expect(ids(`${id}/`)).toEqual([id])
      const [inCase] = ours.find(scenario => scenario.id === id)!.cases
      expect(ids(`${id}/${inCase!.id}`)).toContain(id)
    }
    expect(ids('msgpack').filter(id => byName.includes(id))).toEqual([])
    expect(ids('raw').filter(id => byName.includes(id))).toEqual([])
  })

  test('keep the reference and its double for a person, and neither for a comparison', () => {
    const getArms = (exactly: boolean): string[] =>
      choose(ours, 'throughput/64/ring', 'quick', exactly).flatMap(({ arms }) => arms.map(({ id }) => id))
    expect(getArms(false)).toEqual(['raw', 'raw-again', 'ring-json', 'ring-msgpack'])
    expect(getArms(true)).toEqual(['ring-json', 'ring-msgpack'])
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
    expect(await leaveOut([formats, throughput, lacking])).toEqual({
      scenarios: [formats, throughput],
      leftOut: ['far is left out: there is no ferry'],
    })
    expect(await leaveOut([formats])).toEqual({ scenarios: [formats], leftOut: [] })
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
    await expect(leaveOut([lacking])).rejects.toThrow('far is left out: there is no ferry')
  })
})

test('documents of one kind have the sizes of their names', () => {
  const { cases } = getScenario('sizes')
  expect(cases.map(({ title }) => title)).toEqual(
    [1, 4, 16, 64, 256].map(size => `${size} KiB document`).concat('1 MiB document'),
  )
  for (const [at, { payload }] of cases.entries()) {
    const size = 1024 * 4 ** at
    expect(payloadBytes(payload)).toBeGreaterThan(size * 0.9)
    expect(payloadBytes(payload)).toBeLessThanOrEqual(size)
  }
})
