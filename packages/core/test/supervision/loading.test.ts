// `createBus` and `bus.open` wait until the frontends' modules have been evaluated, and the host misses none of their events.
import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { describe, expect, test } from 'vitest'
import { defineCore } from '../../src/index.js'
import { createTestBus } from '../../src/testing.js'
import { writeProject } from '../support/project.js'
import { join as joinHost, startCore } from '../long/remote/fake-core.js'
import { fixture, next, places, reuseBus, start } from '../support/start.js'

const module = fixture('supervision/loading.mjs')
const sandboxes = ['none', 'permission', 'process', 'quickjs'] as const
const getModule = (sandbox: (typeof sandboxes)[number]): URL =>
  sandbox === 'quickjs' ? fixture('sandboxes/loading-script.js') : module

describe('a module that fails to load', () => {
  const getBus = reuseBus()
  const getPermanent = reuseBus({ supervision: { restart: 'permanent', delay: { min: 1, max: 1 } } })

  const failures: [ends: string, message: string | RegExp][] = [
    ['throw', 'at load'],
    ['package', /^Cannot find package 'a-package-that-is-missing'/],
    ['syntax', /^Unexpected token/],
    ['exit', 'frontend "main" exited with code 3'],
    ['leave', 'The frontend exited before its module was loaded'],
  ]

  test.each(failures)('rejects createBus and bus.open: %s', async (ends, message) => {
    const options = { data: { ends }, sandbox: 'none' } as const
    const rejection = { name: 'BusError', message: expect.stringMatching(message) as string }
    await expect(start({ frontends: { main: { module, ...options } } })).rejects.toMatchObject(rejection)
    const bus = await getBus()
    await expect(bus.open('main', module, options)).rejects.toMatchObject(rejection)
  })

  test.each(['none', 'permission', 'process'] as const)(
    'rejects with LoadFailed and the place if it cannot be parsed, and with what its code throws: sandbox %s',
    async sandbox => {
      const directory = writeProject({
        'package.json': { type: 'module' },
        'unclosed.js': 'if (1) {',
        'unknown.js': `import { missing } from './empty.js'`,
        'empty.js': '',
        'throws.js': `JSON.parse('{')`,
      })
      const bus = await getBus()
      const open = (name: string): Promise<void> => bus.open('main', pathToFileURL(join(directory, name)), { sandbox })
      for (const name of ['unclosed.js', 'unknown.js']) {
        const message = expect.stringContaining(name === 'unknown.js' ? 'missing' : 'unclosed.js:1') as string
        await expect(open(name)).rejects.toMatchObject({ reason: 'LoadFailed', message })
      }
      await expect(open('throws.js')).rejects.toMatchObject({ reason: 'LoadFailed' })
    },
  )

  test.each(sandboxes)('is not retried, and frees its label: sandbox %s', async sandbox => {
    const bus = await getPermanent()
    const reported: unknown[] = []
    const off = (['fault', 'restart', 'failed'] as const).map(name => bus.on(name, event => void reported.push(event)))
    const open = (ends?: string): Promise<void> => bus.open('main', getModule(sandbox), { sandbox, data: { ends } })
    await expect(open('throw')).rejects.toMatchObject({ message: 'at load' })
    expect((await bus.stats()).frontends).toEqual({})
    await open()
    expect(await bus.call('main', 'answer')).toBe(42)
    expect(reported).toEqual([])
    for (const each of off) each()
  })

  test.each(['none', 'permission', 'process'] as const)(
    'names the remedy if it is outside of any node_modules and imports Sallyport: sandbox %s',
    async sandbox => {
      const directory = writeProject({
        'esm.mjs': `import { emit } from '@sallyport/frontend'`,
        'tauri.mjs': `import '@sallyport/frontend/tauri'`,
        'commonjs.cjs': `require('@sallyport/frontend')`,
      })
      const bus = await getBus()
      // Outside of a sandbox, `require` also searches NODE_PATH, which a test runner might set.
      const commonJs = sandbox === 'none' ? [] : ['commonjs.cjs']
      for (const name of ['esm.mjs', 'tauri.mjs', ...commonJs]) {
        const message =
          /^Cannot find \w+ '@sallyport\/frontend.*\. Move the module below a directory whose node_modules has @sallyport\/frontend, or bundle /
        const opening = bus.open('main', pathToFileURL(join(directory, name)), { sandbox })
        await expect(opening).rejects.toMatchObject({ message: expect.stringMatching(message) as string })
      }
      // Frames of Node's loader lead nowhere.
      const fault = new Promise<Error>(resolve => bus.on('fault', ({ error }) => resolve(error)))
      await bus.open('main', pathToFileURL(join(directory, 'esm.mjs')), { sandbox, loaded: false })
      expect((await fault).stack).not.toContain('node:internal')
    },
  )

  test('rejects in development too', async () => {
    const bus = await start({ dev: true })
    await expect(bus.open('main', module, { data: { ends: 'throw' } })).rejects.toMatchObject({ message: 'at load' })
  })

  test('rejects connectHost and its open', async () => {
    const core = await startCore()
    const main = { module, data: { ends: 'throw' } }
    await expect(joinHost(core, { frontends: { main } })).rejects.toMatchObject({ message: 'at load' })
    const host = await joinHost(core)
    await expect(host.open('main', module, { data: main.data })).rejects.toMatchObject({ message: 'at load' })
    await expect(host.open('main', module, { readAhead: 1 })).rejects.toThrow('readAhead is not available in a joined')
    await host.open('main', module, { data: {} })
  })

  test('rejects with Disconnected when the frontend is closed meanwhile', async () => {
    const bus = await getBus()
    const up = next(bus, 'loading')
    const opening = bus.open('main', module, { data: { waits: true, events: 1 } })
    opening.catch(() => {})
    await up
    await bus.closeFrontend('main')
    await expect(opening).rejects.toMatchObject({ reason: 'Disconnected' })
  })
})

describe('a module that waits for its host', () => {
  const remedy = 'Pass a longer `loadTimeout`, or `loaded: false` for a module whose top level never ends'
  const getLate = (ms: number) => ({
    reason: 'Timeout',
    message: `frontend "main" did not evaluate its module within ${ms} ms. ${remedy}`,
  })

  test('rejects createBus after `loadTimeout`', async () => {
    const main = { module, data: { waits: true }, loadTimeout: 50 }
    await expect(start({ frontends: { main } })).rejects.toMatchObject(getLate(50))
  })

  test.each(sandboxes)('rejects bus.open after `loadTimeout`, and frees its label: sandbox %s', async sandbox => {
    const bus = await start({ supervision: { restart: 'permanent' } })
    const reported: unknown[] = []
    for (const name of ['fault', 'restart', 'failed', 'exited'] as const)
      bus.on(name, event => void reported.push(event))
    const open = (options: object) => bus.open('main', getModule(sandbox), { sandbox, ...options })
    await expect(open({ data: { waits: true }, loadTimeout: 50 })).rejects.toMatchObject(getLate(50))
    expect(bus.frontends()).toEqual([])
    await open({ data: {} })
    expect(await bus.call('main', 'answer')).toBe(42)
    expect(reported).toEqual([])
  })

  test.each(['none', 'process'] as const)(
    'rejects bus.reload after `loadTimeout`, and has failed until the next reload: sandbox %s',
    async sandbox => {
      const file = join(writeProject({ 'main.mjs': '' }), 'main.mjs')
      const bus = await start()
      await bus.open('main', pathToFileURL(file), { sandbox, loadTimeout: 5000 })
      writeFileSync(file, 'await new Promise(resolve => setInterval(resolve, 2 ** 31 - 1))')
      await expect(bus.reload('main')).rejects.toMatchObject(getLate(5000))
      await expect.poll(() => bus.frontends(), { timeout: 10_000 }).toMatchObject([{ label: 'main', state: 'failed' }])
      writeFileSync(file, '')
      await bus.reload('main')
      expect(bus.frontends()).toMatchObject([{ label: 'main', state: 'running' }])
    },
  )

  test.each(['none', 'process'] as const)(
    'rejects with Timeout if it never returns, whether the heartbeat or `loadTimeout` notices: sandbox %s',
    async sandbox => {
      const file = join(writeProject({ 'main.mjs': 'while (true);' }), 'main.mjs')
      const bus = await start({ supervision: { heartbeat: 5000 } })
      const open = () => bus.open('main', pathToFileURL(file), { sandbox, loadTimeout: 5000 })
      await expect(open()).rejects.toMatchObject({ reason: 'Timeout' })
      expect(bus.frontends()).toEqual([])
      writeFileSync(file, '')
      await open()
      writeFileSync(file, 'while (true);')
      await expect(bus.reload('main')).rejects.toMatchObject({ reason: 'Timeout' })
      await expect.poll(() => bus.frontends(), { timeout: 10_000 }).toMatchObject([{ label: 'main', state: 'failed' }])
    },
  )

  test('cannot make core keep events for longer than `loadTimeout`', async () => {
    const bus = await start()
    await bus.open('main', fixture('supervision/unsynchronized.mjs'), { sandbox: 'none', loadTimeout: 5000 })
    const listen = async (): Promise<unknown[]> => {
      const received: unknown[] = []
      await bus.listen('loading', ({ payload }) => void received.push(payload))
      await bus.call('main', 'answer')
      return received
    }
    await expect.poll(listen, { timeout: 30_000 }).toEqual([])
  })

  test('is not waited for with `loaded: false`', async () => {
    const bus = await start()
    await bus.open('main', module, { data: { waits: true, events: 1 }, loaded: false, loadTimeout: 600_000 })
    const received: unknown[] = []
    await bus.listen('loading', ({ payload }) => void received.push(payload))
    await expect.poll(() => received).toEqual([0])
    await bus.emit('go')
    await expect.poll(() => received).toEqual([0, 'loaded'])
  })

  test('rejects a wrong option', async () => {
    const bus = await start()
    const open = (options: object): Promise<void> => bus.open('main', module, options)
    await expect(open({ loaded: 1 })).rejects.toThrow('bus.open: loaded must be true or false: got 1')
    await expect(open({ loadTimeout: 0 })).rejects.toThrow('loadTimeout must be whole milliseconds, from 1: got 0')
  })
})

describe('a host that listens at once', () => {
  test('gets successive events from successive calls of once, and the same from concurrent ones', async () => {
    const bus = await start({ frontends: { main: { module, data: { events: 3 } } } })
    const take = async (): Promise<unknown> => (await bus.once('loading', { timeout: 10_000 })).payload
    expect(await Promise.all([take(), take()])).toEqual([0, 0])
    expect(await take()).toBe(1)
    expect(await take()).toBe(2)
    expect(await take()).toBe('loaded')
  })

  test('makes no calls that statistics or diagnostics channels count', async () => {
    const traced: string[] = []
    const trace = (message: unknown): void => void traced.push((message as { command: string }).command)
    subscribe('tracing:sallyport.invoke:start', trace)
    const bus = await start({ core: defineCore({}) })
    await bus.open('main', module, { data: { events: 1 } })
    await new Promise(resolve => setImmediate(resolve))
    expect((await bus.stats()).host).toMatchObject({ calls: 0, failures: 0 })
    unsubscribe('tracing:sallyport.invoke:start', trace)
    expect(traced).toEqual([])
  })

  test.each(places)('gets every event of modules that were loading, in order: %s', async (_name, app, sandbox) => {
    const options = { data: { events: 3 }, sandbox }
    const bus = await start({ app, frontends: { main: { module, ...options } } })
    const received: unknown[] = []
    const opened: unknown[] = []
    await bus.listen('tauri://window-created', ({ payload }) => void opened.push(payload))
    await bus.listen('loading', ({ payload }) => void received.push(payload))
    await expect.poll(() => received).toEqual([0, 1, 2, 'loaded'])
    received.length = 0
    await bus.open('later', module, options)
    await expect.poll(() => received).toEqual([0, 1, 2, 'loaded'])
    expect(opened).toEqual([{ label: 'main' }, { label: 'later' }])
  })

  test('gets events of a frontend that is opened, also with a new listener', async () => {
    const bus = await start()
    await bus.open('main', getModule('quickjs'), { sandbox: 'quickjs', data: {} })
    const received: unknown[] = []
    void bus.listen('loading', ({ payload }) => void received.push(payload))
    await expect.poll(() => received).toEqual([0, 'loaded'])
  })

  test('gets events of a test bus', async () => {
    const { bus, close } = await createTestBus({ frontends: { other: { module, data: { events: 1 } } } })
    expect(await next(bus, 'loading')).toBe(0)
    await close()
  })
})
