// installTauri adds and removes Tauri's globals, in this thread and on windows of jsdom.
import { invoke } from '@tauri-apps/api/core'
import { listen } from '@tauri-apps/api/event'
import { clearMocks, mockIPC, mockWindows } from '@tauri-apps/api/mocks'
import { getCurrentWindow } from '@tauri-apps/api/window'
import { installTauri, type TauriInstallation } from '@sallyport/frontend/tauri'
import { readFileSync } from 'node:fs'
import { JSDOM } from 'jsdom'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import type { Bus, Client } from '../../src/index.js'
import { startBus } from './environments.js'

const NAMES = ['__TAURI_INTERNALS__', '__TAURI_EVENT_PLUGIN_INTERNALS__', 'isTauri', 'window']
const open: TauriInstallation[] = []
let bus: Bus
let client: Client

beforeEach(async () => {
  bus = await startBus({})
  client = await bus.connect('main')
})
afterEach(async () => {
  for (const installation of open.splice(0)) installation.uninstall()
  await bus.close({ timeout: 0 })
})

function install(target?: object): TauriInstallation {
  const installation = installTauri(client, target)
  open.push(installation)
  return installation
}

describe('this thread', () => {
  test('importing the entry in the host installs nothing', () => {
    expect(NAMES.filter(name => name in globalThis)).toEqual([])
  })

  test('installs and uninstalls repeatedly', async () => {
    for (let i = 0; i < 2; i++) {
      const installation = install()
      expect(NAMES.filter(name => name in globalThis)).toEqual(NAMES)
      expect(await invoke('give', { value: i })).toBe(i)
      installation.uninstall()
      expect(NAMES.filter(name => name in globalThis)).toEqual([])
      installation.uninstall()
    }
  })

  test('`using` uninstalls', async () => {
    {
      using _tauri = installTauri(client)
      expect(await invoke('give', { value: 1 })).toBe(1)
    }
    expect(NAMES.filter(name => name in globalThis)).toEqual([])
  })

  test('rejects an invalid client', () => {
    expect(() => installTauri(bus.connect('other') as never)).toThrow(
      'installTauri: the client must be the result of `await bus.connect(label)`: got Promise',
    )
    expect(NAMES.filter(name => name in globalThis)).toEqual([])
  })

  test('a second installation over the first is rejected', () => {
    const first = install()
    expect(() => installTauri(client)).toThrow(
      expect.objectContaining({ reason: 'InvalidParams', message: expect.stringContaining('installed already') }),
    )
    first.uninstall()
    install()
  })

  test("ignores globals that can't be replaced", () => {
    const target = Object.defineProperty({}, '__TAURI_INTERNALS__', { value: { plugins: {} } })
    expect(() => installTauri(client, target)).toThrow(expect.objectContaining({ reason: 'InvalidParams' }))
    expect(Object.getOwnPropertyNames(target)).toEqual(['__TAURI_INTERNALS__'])
  })

  test('uninstalling restores the earlier globals', () => {
    const before = { __TAURI_INTERNALS__: { mine: 1 }, isTauri: false, window: undefined as unknown }
    const target = { ...before }
    const installation = install(target)
    expect(target.isTauri).toBe(true)
    installation.uninstall()
    expect(target).toEqual(before)
  })

  test('uninstalling keeps globals that were replaced in the meantime', () => {
    const target: Record<string, unknown> = {}
    const installation = install(target)
    Object.defineProperty(target, 'isTauri', { value: 'theirs', configurable: true })
    installation.uninstall()
    expect(Object.getOwnPropertyNames(target)).toEqual(['isTauri'])
  })

  test('uninstalling removes listeners and channels, and running calls settle', async () => {
    const received: unknown[] = []
    const installation = install()
    await listen('news', ({ payload }) => received.push(payload))
    const { callbacks, invoke: call } = Reflect.get(globalThis, '__TAURI_INTERNALS__') as {
      callbacks: Map<number, unknown>
      invoke: typeof invoke
    }
    const counting = call('count_for_ever', { channel: { toJSON: () => '__CHANNEL__:7' } })
    installation.uninstall()
    expect(callbacks.size).toBe(0)
    expect(await counting).toBeNull()
    await expect(call('nothing')).rejects.toMatch('uninstalled')
    await client.emit('news', 1)
    await client.invoke('nothing')
    expect(received).toEqual([])
  })

  test('a listener that is confirmed after uninstalling is removed', async () => {
    const warn = vi.spyOn(console, 'warn')
    const received: unknown[] = []
    const installation = install()
    const listening = listen('late', () => received.push('late'))
    installation.uninstall()
    await listening
    await client.emit('late')
    await client.invoke('nothing')
    expect(received).toEqual([])
    expect(warn).not.toHaveBeenCalled()
    warn.mockRestore()
  })

  test('closing the client removes the callbacks of listeners and settles calls', async () => {
    install()
    const { callbacks } = Reflect.get(globalThis, '__TAURI_INTERNALS__') as { callbacks: Map<number, unknown> }
    await listen('news', () => {})
    expect(callbacks.size).toBe(1)
    const never = invoke('never')
    await client.close()
    await expect(never).rejects.toMatch('closed')
    await expect(invoke('nothing')).rejects.toMatch('closed')
    expect(callbacks.size).toBe(0)
  })

  test('mocks of @tauri-apps/api work before and after an installation', async () => {
    for (let i = 0; i < 2; i++) {
      Object.assign(globalThis, { window: globalThis })
      mockWindows('mocked')
      mockIPC(command => `mocked ${command}`)
      expect(await invoke('nothing')).toBe('mocked nothing')
      expect(getCurrentWindow().label).toBe('mocked')
      clearMocks()
      const installation = install()
      expect(await invoke('nothing')).toBeNull()
      expect(getCurrentWindow().label).toBe('main')
      expect(() => mockIPC(() => {})).toThrow(TypeError)
      installation.uninstall()
      for (const name of NAMES) Reflect.deleteProperty(globalThis, name)
    }
  })
})

describe("a jsdom's window", () => {
  test('each window has globals of its own', async () => {
    const [first, second] = [new JSDOM().window, new JSDOM().window]
    install(first)
    expect(second).not.toHaveProperty('__TAURI_INTERNALS__')
    const other = installTauri(await bus.connect('other'), second)
    const label = (window: object): unknown => Reflect.get(window, '__TAURI_INTERNALS__').metadata.currentWindow.label
    expect([label(first), label(second)]).toEqual(['main', 'other'])
    other.uninstall()
    expect(second).not.toHaveProperty('__TAURI_INTERNALS__')
    expect(label(first)).toBe('main')
  })

  test('accepts arrays, maps and bytes of the realm of the window', async () => {
    const { window } = new JSDOM('', { runScripts: 'outside-only' })
    install(window)
    const source = readFileSync(new URL(import.meta.resolve('@tauri-apps/api/core')).pathname.replace(/js$/, 'cjs'))
    const tslib = readFileSync(
      new URL(import.meta.resolve('@tauri-apps/api/core')).pathname.replace(
        /core\.js$/,
        'external/tslib/tslib.es6.cjs',
      ),
    )
    const run = window.eval(`(tslib, source) => {
      const load = (text, require) => {
        const exports = {}
        new Function('exports', 'require', text)(exports, require)
        return exports
      }
      return load(source, () => load(tslib))
    }`) as (tslib: string, source: string) => typeof import('@tauri-apps/api/core')
    Object.assign(window, { tauri: run(String(tslib), String(source)), Headers: undefined })
    const inWindow = (code: string): Promise<unknown> => window.eval(`(async () => ${code})()`) as Promise<unknown>
    expect(await inWindow('tauri.isTauri()')).toBe(true)
    expect(
      await inWindow(
        `tauri.invoke('received', { list: [1], map: new Map([['a', new Uint8Array([1])]]), no: undefined })`,
      ),
    ).toMatchObject({ json: '{"list":[1],"map":{"a":[1]}}' })
    expect(await inWindow(`tauri.invoke('received', new Uint8Array([1, 2]).subarray(1))`)).toMatchObject({ bytes: [2] })
    expect(await inWindow(`tauri.invoke('received', new Uint8Array([1, 2]).buffer)`)).toMatchObject({ bytes: [1, 2] })
    expect(await inWindow(`tauri.invoke('received', [3])`)).toMatchObject({ bytes: [3] })
    const got = await inWindow(
      `{
      const got = []
      await tauri.invoke('count', { to: 2, channel: new tauri.Channel(n => got.push(n)), end: true })
      return got.join()
    }`.replace(/^\{/, '(async () => {') + ')()',
    )
    expect(got).toBe('0,1')
  })
})
