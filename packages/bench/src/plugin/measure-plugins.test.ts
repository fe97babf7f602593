import { describe, expect, test } from 'vitest'
import { densityArms, fewCallsArms, pluginArms } from '../arms/fresh.js'
import { lacksProcessTree } from '../run/process-tree.js'
import { usualCall } from '../scenarios/payloads.js'
import { measureHost } from './measure-plugins.js'
import { getPluginKind } from './plugin-kinds.js'

test('each arm of plugins has a kind, and the reference starts nothing of ours', () => {
  expect(pluginArms()[0].id).toBe('worker')
  for (const { id } of [pluginArms(), densityArms].flat()) expect(getPluginKind(id)).toBeTypeOf('function')
  expect(() => getPluginKind('nothing')).toThrow("Unknown kind of plugin 'nothing'")
})

test('arms of few calls that can lack something are those with a wall', () => {
  expect(fewCallsArms.flatMap(({ id, lacks }) => (lacks ? [id] : []))).toEqual(['process-wall', 'process-wall-gates'])
})

describe.runIf(lacksProcessTree() === undefined)('a plugin', () => {
  test('has all figures', async () => {
    const arm = await pluginArms()
      .find(({ id }) => id === 'quickjs')!
      .open()
    const figures = await arm.measure({ loop: 'plugin', ms: 1 }, usualCall)
    expect(Object.keys(figures)).toEqual(['ready', 'pss', 'next', 'seldom', 'p50', 'rate', 'bytes', 'end'])
  })

  test('fails when its host cannot start it', async () => {
    const start = (): Promise<never> => Promise.reject(new Error('no memory left'))
    await expect(measureHost(async () => ({ start }))).rejects.toThrow('no memory left')
  })
})
