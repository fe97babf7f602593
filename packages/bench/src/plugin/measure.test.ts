import { describe, expect, test } from 'vitest'
import { rows } from '../../../../scripts/testing.js'
import { getScenario } from '../../test/sample-report.js'
import { fewCallsArms, manyArms, pluginArms, sandboxArms } from '../arms/fresh.js'
import { usualCall } from '../model/payloads.js'
import { lacksProcessTree } from '../run/machine.js'
import { measureFresh } from '../run/processes.js'
import { getSlotMs, QUICK } from '../run/run.js'
import { getPluginKind } from './kinds.js'
import { getPausedCalls, measurePlugin } from './measure.js'

test('each arm of plugins has a kind, and the reference starts nothing of ours', () => {
  expect(pluginArms[0].id).toBe('worker')
  for (const { id } of [...pluginArms, ...manyArms]) expect(getPluginKind(id)).toBeTypeOf('function')
  expect(() => getPluginKind('nothing')).toThrow("Unknown kind of plugin 'nothing'")
})

test('arms of few calls lack nothing on any machine, and those of plugins can lack a wall or a process tree', () => {
  expect(fewCallsArms.filter(({ lacks }) => lacks)).toEqual([])
  expect(pluginArms.filter(({ lacks }) => !lacks)).toEqual([])
})

describe.runIf(lacksProcessTree() === undefined)('a plugin', () => {
  test('has all figures', async () => {
    const arm = await pluginArms.find(({ id }) => id === 'quickjs')!.open()
    const figures = await arm.measure({ loop: 'plugin', ms: 1 }, usualCall)
    expect(Object.keys(figures)).toEqual(['ready', 'pss', 'next', 'seldom', 'p50', 'rate', 'bytes', 'end'])
  })

  test('in its sandbox has only its start, its memory and calls with pauses', async () => {
    const arm = await sandboxArms.find(({ id }) => id === 'quickjs')!.open()
    expect(Object.keys(await arm.measure({ loop: 'sandbox', ms: 1 }, usualCall))).toEqual(['ready', 'pss', 'seldom'])
  })

  test('fails when its host cannot start it', async () => {
    const start = (): Promise<never> => Promise.reject(new Error('no memory left'))
    await expect(measurePlugin(async () => ({ start }))).rejects.toThrow('no memory left')
  })
})

describe.runIf(lacksProcessTree() === undefined)('many plugins', () => {
  test('have their figures for each', async () => {
    const figures = await measureFresh({ plugin: 'quickjs', many: 12 })
    expect(Object.keys(figures)).toEqual(['cpu', 'pss', 'end'])
    expect(figures['cpu']).toBeGreaterThan(0)
  })

  test('are not measured where a machine has no memory for them', async () => {
    const arm = await manyArms.find(({ id }) => id === 'permission')!.open()
    expect(await arm.measure({ loop: 'many', ms: 1, count: 1000 }, usualCall)).toEqual({})
  })
})

const scenario = getScenario('few-calls')
const greet = usualCall.calls[0]!

test('a quick run makes 20 calls with pauses, and the shortest one', () => {
  expect(getPausedCalls(getSlotMs(QUICK, scenario, scenario.cases[0]!))).toBe(20)
  expect(getPausedCalls(1)).toBe(1)
})

test('reports an error of the measured process', async () => {
  const job = { plugin: 'nothing', greet, count: 1 }
  await expect(measureFresh(job)).rejects.toThrow("Unknown kind of plugin 'nothing'")
})

test('a wrong answer fails the measurement', () =>
  rows(['quickjs', 'isolation-ring-json'])(async plugin => {
    const wrong = { ...greet, expected: 'Hello, Moon!' }
    await expect(measureFresh({ plugin, greet: wrong, count: 0 })).rejects.toThrow('expected Hello, Moon!')
  }))

test('calls have their times', async () => {
  const figures = await measureFresh({ plugin: 'worker', greet, count: 3 })
  const cpu = lacksProcessTree() === undefined ? ['cpu'] : []
  expect(Object.keys(figures)).toEqual(['import', 'first', 'next', 'p50', ...cpu])
  for (const figure of Object.values(figures)) expect(figure).toBeGreaterThan(0)
})
