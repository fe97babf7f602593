// Scripts of plugins run in frontends that install Tauri's globals.
import { afterEach, describe, expect, test } from 'vitest'
import { installTauri } from '@sallyport/frontend/tauri'
import { createBus, type Bus, type BusOptions } from '../../src/index.js'
import { getInitScripts } from '../../src/internal.js'
import { rows } from '../../../../scripts/testing.js'

let bus: Bus | undefined
afterEach(() => bus?.close({ timeout: 0 }))

const fixture = (name: string): URL => new URL(`./fixtures/${name}`, import.meta.url)
const globals = { greeted: ['function', 'function'], last: 'second' }
type Sandbox = 'permission' | 'process' | 'none'

async function start(kind: Sandbox, options: Partial<BusOptions> = {}): Promise<Bus> {
  const frontends = { main: { module: fixture('scripted.mjs'), sandbox: kind } }
  return (bus = await createBus({ core: fixture('scripts-core.mjs'), log: false, frontends, ...options }))
}

describe('scripts of plugins', () => {
  test("run in the order of the plugins, after Tauri's globals exist, in each sandbox", () =>
    rows(['permission', 'process', 'none'] as Sandbox[])(async kind => {
      const started = await start(kind)
      expect(await started.call('main', 'globals')).toEqual(globals)
    }))

  test('run in the isolation pattern', async () => {
    const started = await start('permission', { isolation: {} })
    expect(await started.call('main', 'globals')).toEqual(globals)
  })

  test('run in a frontend that opens after a reload of core', async () => {
    const started = await start('permission')
    await started.reload('core')
    await started.reload('main')
    expect(await started.call('main', 'globals')).toEqual(globals)
  })

  test('are known to the host', async () => {
    const started = await start('none')
    expect(getInitScripts(started).map(({ name }) => name)).toEqual(['first', 'second'])
  })

  test('run for a client of the host, in the window that it is given, which has nothing of them afterwards', async () => {
    const started = await start('none')
    const client = await started.connect('tests')
    const window: Record<string, unknown> = { LAST: 'none' }
    const tauri = installTauri(client, window)
    expect(window).toMatchObject({ GREETED: ['function', 'function'], LAST: 'second' })
    tauri.uninstall()
    expect(window).toEqual({ LAST: 'none' })
  })

  test('one that fails for a client of the host leaves nothing behind', async () => {
    const started = await createBus({ core: fixture('scripted-fault.mjs'), log: false })
    bus = started
    const client = await started.connect('tests')
    const window: Record<string, unknown> = {}
    expect(() => installTauri(client, window)).toThrow('no window')
    expect(Reflect.ownKeys(window)).toEqual([])
  })

  test('an error stops the module and names the plugin', async () => {
    const failing = start('permission', { core: fixture('scripted-fault.mjs') })
    await expect(failing).rejects.toThrow('no window')
    await expect(failing).rejects.toHaveProperty('stack', expect.stringContaining('plugin:broken'))
  })
})
