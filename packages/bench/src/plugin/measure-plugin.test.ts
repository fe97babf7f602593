import { afterEach, describe, expect, test, vi } from 'vitest'
import { pluginArms } from '../arms/plugin.js'
import { lacksProcessTree } from '../run/process-tree.js'
import { usualCall } from '../payloads/payloads.js'
import { lacksIsolatedVm } from './isolated-vm-plugins.js'
import { measurePlugin } from './measure-plugin.js'
import { PLUGIN_KINDS } from './plugin-kinds.js'

const FIGURES = ['ready', 'pss', 'p50', 'rate', 'bytes', 'end']

test('each arm has a kind of plugin', () => {
  expect(pluginArms().map(({ id }) => id)).toEqual(Object.keys(PLUGIN_KINDS))
})

describe('isolated-vm', () => {
  afterEach(() => vi.restoreAllMocks())

  test('is left out if it is not installed', () => {
    vi.spyOn(process, 'cwd').mockReturnValue('/')
    expect(lacksIsolatedVm()).toBe('isolated-vm is not installed')
    expect(pluginArms().find(({ id }) => id === 'isolated-vm')?.title).toBe('isolated-vm')
  })
})

describe.runIf(lacksProcessTree() === undefined)('a plugin', () => {
  test('has all figures', async () => {
    const arm = await pluginArms()
      .find(({ id }) => id === 'ses')!
      .open()
    const figures = await arm.measure({ loop: 'plugin', ms: 1 }, usualCall)
    expect(Object.keys(figures)).toEqual(FIGURES)
  })

  test('fails when its host cannot start it', async () => {
    const start = (): Promise<never> => Promise.reject(new Error('no memory left'))
    await expect(measurePlugin(async () => ({ start }))).rejects.toThrow('no memory left')
  })
})
