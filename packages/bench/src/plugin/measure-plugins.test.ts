import { afterEach, describe, expect, test, vi } from 'vitest'
import { density, fewCallsArms, pluginArms } from '../arms/fresh.js'
import { lacksProcessTree } from '../run/process-tree.js'
import { usualCall } from '../payloads/payloads.js'
import { lacksIsolatedVm } from './isolated-vm-plugins.js'
import { measureHost } from './measure-plugins.js'
import { getPluginKind } from './plugin-kinds.js'

test('each arm of plugins has a kind, and the reference starts nothing of ours', () => {
  const { scripts, ...others } = density
  for (const arms of [pluginArms(), ...Object.values(others)]) expect(['worker', 'fork']).toContain(arms[0].id)
  // A thousand Workers do not start.
  expect(scripts[0].id).toBe('quickjs')
  for (const arms of [pluginArms(), ...Object.values(density)]) {
    for (const { id } of arms) expect(getPluginKind(id)).toBeTypeOf('function')
  }
  expect(() => getPluginKind('nothing')).toThrow("Unknown kind of plugin 'nothing'")
})

describe('isolated-vm', () => {
  afterEach(() => vi.restoreAllMocks())

  test('is left out if it is not installed', () => {
    vi.spyOn(process, 'cwd').mockReturnValue('/')
    expect(lacksIsolatedVm()).toBe('isolated-vm is not installed')
    expect(pluginArms().find(({ id }) => id === 'isolated-vm')?.title).toBe('isolated-vm')
  })
})

test('arms of few calls that can lack something are those with a wall', () => {
  expect(fewCallsArms().flatMap(({ id, lacks }) => (lacks ? [id] : []))).toEqual(['process-wall-gates'])
})

describe.runIf(lacksProcessTree() === undefined)('a plugin', () => {
  test('has all figures', async () => {
    const arm = await pluginArms()
      .find(({ id }) => id === 'quickjs')!
      .open()
    const figures = await arm.measure({ loop: 'plugin', ms: 1 }, usualCall)
    expect(Object.keys(figures)).toEqual(['ready', 'pss', 'cpu', 'next', 'seldom', 'p50', 'rate', 'bytes', 'end'])
  })

  test('fails when its host cannot start it', async () => {
    const start = (): Promise<never> => Promise.reject(new Error('no memory left'))
    await expect(measureHost(async () => ({ start }), 1, true)).rejects.toThrow('no memory left')
  })

  test('is at least one', async () => {
    const arm = await density.threads[0].open()
    const measured = arm.measure({ loop: 'density', ms: 0, size: -1 }, usualCall)
    await expect(measured).rejects.toThrow('Invalid number of plugins: -1')
  })
})
