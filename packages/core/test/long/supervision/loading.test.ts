// `createBus` and `bus.open` wait until the frontends' modules have been evaluated, and the host misses none of their events.
import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { describe, expect, test, vi } from 'vitest'
import { choose, rows } from '../../../../../scripts/testing.js'
import { defineCore } from '../../../src/index.js'
import { createTestBus } from '../../../src/testing.js'
import { writeProject } from '../../support/project.js'
import { fixture, next, places, reuseBus, start } from '../../support/start.js'
import { settle, takeClock } from '../../support/supervised.js'

const module = fixture('supervision/loading.mjs')
const sandboxes = ['none', 'permission', 'process', 'quickjs'] as const
/** Processes are threads with more parts. */
const apart = choose(sandboxes, 2, 3)
const withNode = choose(['none', 'permission', 'process'] as const)
const getModule = (sandbox: (typeof sandboxes)[number]): URL =>
  sandbox === 'quickjs' ? fixture('sandboxes/loading-script.js') : module

describe('a module that fails to load', () => {
  const getBus = reuseBus()
  const getPermanent = reuseBus({ supervision: { restart: 'permanent', delay: { min: 1, max: 1 } } })

  const failures: [ends: string, message: string][] = [
    ['throw', 'at load'],
    ['package', `Cannot find package 'a-package-that-is-missing'`],
    ['syntax', 'Unexpected token'],
    ['exit', 'frontend "main" exited with code 3'],
    ['leave', 'frontend "main" exited before its module was loaded'],
  ]

  test('rejects createBus and bus.open, in development too', async () => {
    const [bus, inDevelopment] = [await getBus(), await start({ dev: true })]
    await rows(failures)(async (ends, message) => {
      const options = { data: { ends }, sandbox: 'none' } as const
      const rejection = { name: 'BusError', message: expect.stringContaining(message) as string }
      await expect(start({ frontends: { main: { module, ...options } } })).rejects.toMatchObject(rejection)
      await expect(bus.open('main', module, options)).rejects.toMatchObject(rejection)
      await expect(inDevelopment.open('main', module, options)).rejects.toMatchObject(rejection)
    })
  })

  test('rejects createBus with the label of the frontend that failed, in its stack too', async () => {
    const frontends = { first: { module, data: {} }, main: { module, data: { ends: 'throw' } } }
    await expect(start({ frontends })).rejects.toMatchObject({
      reason: 'LoadFailed',
      message: 'frontend "main": at load',
      stack: expect.stringMatching(/frontend "main": at load\n +at .*loading\.mjs/) as string,
    })
  })

  test.each(withNode)(
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

  test('is not retried, and frees its label', async () => {
    const bus = await getPermanent()
    const reported: unknown[] = []
    for (const name of ['fault', 'restart', 'failed'] as const) bus.on(name, event => void reported.push(event))
    await rows(apart)(async sandbox => {
      const open = (ends?: string): Promise<void> => bus.open('main', getModule(sandbox), { sandbox, data: { ends } })
      await expect(open('throw')).rejects.toMatchObject({ message: 'at load' })
      expect((await bus.stats()).frontends).toEqual({})
      await open()
      expect(await bus.call('main', 'answer')).toBe(42)
      expect(reported).toEqual([])
      await bus.closeFrontend('main')
    })
  })

  test.each(withNode)(
    'names the remedy if it is outside of any node_modules and imports Sallyport: sandbox %s',
    async sandbox => {
      const directory = writeProject({
        'esm.mjs': `import { emit } from '@sallyport/frontend'`,
        'tauri.mjs': `import '@sallyport/frontend/tauri'`,
        'commonjs.cjs': `require('@sallyport/frontend')`,
      })
      const bus = await getBus()
      // Outside of a sandbox, `require` also searches NODE_PATH, which a test runner might set. In one, a main module gets the host's copy.
      const names = sandbox === 'none' ? ['esm.mjs', 'tauri.mjs'] : ['commonjs.cjs']
      for (const name of names) {
        const message =
          /^Cannot find \w+ '@sallyport\/frontend.*.*, move all below a directory whose node_modules has @sallyport\/frontend, or bundle /
        const opening = bus.open('main', pathToFileURL(join(directory, name)), { sandbox })
        await expect(opening).rejects.toMatchObject({ message: expect.stringMatching(message) as string })
      }
      // Frames of Node's loader lead nowhere.
      const fault = new Promise<Error>(resolve => bus.on('fault', ({ error }) => resolve(error)))
      await bus.open('main', pathToFileURL(join(directory, names[0]!)), { sandbox, loaded: false })
      expect((await fault).stack).not.toContain('node:internal')
    },
  )

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

  test('rejects createBus and bus.open after `loadTimeout`, and frees its label', async () => {
    const late = { data: { waits: true }, loadTimeout: 1 }
    await expect(start({ frontends: { main: { module, ...late } } })).rejects.toMatchObject(getLate(1))
    await rows(apart)(async sandbox => {
      const bus = await start({ supervision: { restart: 'permanent' } })
      const reported: unknown[] = []
      for (const name of ['fault', 'restart', 'failed', 'exited'] as const)
        bus.on(name, event => void reported.push(event))
      const open = (options: object) => bus.open('main', getModule(sandbox), { sandbox, ...options })
      // A process in a wall has not begun by then.
      await expect(open(late)).rejects.toMatchObject({
        reason: 'Timeout',
        message: expect.stringMatching(
          /(?:did not evaluate its module|has not started the process) within 1 ms/,
        ) as string,
      })
      expect(bus.frontends()).toEqual([])
      await open({ data: {} })
      expect(await bus.call('main', 'answer')).toBe(42)
      expect(reported).toEqual([])
    })
  })

  test.each(choose(['none', 'process'] as const))(
    'rejects bus.open and bus.reload with Timeout if it waits or never returns, and has failed until the next reload: sandbox %s',
    async sandbox => {
      takeClock()
      const file = join(writeProject({ 'main.mjs': '' }), 'main.mjs')
      const begins = `console.log('begun'); await new Promise(resolve => setTimeout(resolve))\n`
      const waits = `${begins}await new Promise(resolve => setInterval(resolve, 2 ** 31 - 1))`
      const loops = `${begins}while (true);`
      await rows([
        ['waits, and `loadTimeout` notices', waits, false, 60_000, getLate(60_000)],
        ['never returns, and `loadTimeout` notices', loops, false, 60_000, getLate(60_000)],
        ['never returns, and the heartbeat notices', loops, 60_000, 600_000, { reason: 'Timeout' }],
      ] as const)(async (_name, source, heartbeat, loadTimeout, timeout) => {
        // Whoever runs on beats in real time.
        const bus = await start({ supervision: { heartbeat: false } })
        let output = ''
        const onStdio = (text: string): void => void (output += text)
        const options = { sandbox, loadTimeout, supervision: { heartbeat }, onStdio }
        const open = () => bus.open('main', pathToFileURL(file), options)
        const expectTimeout = async (promise: Promise<void>): Promise<void> => {
          promise.catch(() => {})
          await expect.poll(() => output).toContain('begun')
          output = ''
          await settle(promise)
          await expect(promise).rejects.toMatchObject(timeout)
        }
        writeFileSync(file, source)
        await expectTimeout(open())
        expect(bus.frontends()).toEqual([])
        writeFileSync(file, '')
        await open()
        writeFileSync(file, source)
        await expectTimeout(bus.reload('main'))
        await expect.poll(() => bus.frontends()).toMatchObject([{ label: 'main', state: 'failed' }])
        writeFileSync(file, '')
        await bus.reload('main')
        expect(bus.frontends()).toMatchObject([{ label: 'main', state: 'running' }])
      })
    },
  )

  test('cannot make core keep events for longer than `loadTimeout`', async () => {
    takeClock()
    const bus = await start()
    await bus.open('main', fixture('supervision/unsynchronized.mjs'), { sandbox: 'none', loadTimeout: 60_000 })
    const listen = async (): Promise<unknown[]> => {
      const received: unknown[] = []
      await bus.listen('loading', ({ payload }) => void received.push(payload))
      await bus.call('main', 'answer')
      return received
    }
    expect(await listen()).toEqual([0])
    vi.advanceTimersByTime(60_000)
    await expect.poll(listen).toEqual([])
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
    const take = async (): Promise<unknown> => (await bus.once('loading')).payload
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

  test.each(choose(places))(
    'gets every event of modules that were loading, in order: %s',
    async (_name, app, sandbox) => {
      const options = { data: { events: 3 }, sandbox }
      const bus = await start({ ...app, frontends: { main: { module, ...options } } })
      const received: unknown[] = []
      const opened: unknown[] = []
      await bus.listen('tauri://window-created', ({ payload }) => void opened.push(payload))
      await bus.listen('loading', ({ payload }) => void received.push(payload))
      await expect.poll(() => received).toEqual([0, 1, 2, 'loaded'])
      received.length = 0
      await bus.open('later', module, options)
      await expect.poll(() => received).toEqual([0, 1, 2, 'loaded'])
      expect(opened).toEqual([{ label: 'main' }, { label: 'later' }])
    },
  )

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
