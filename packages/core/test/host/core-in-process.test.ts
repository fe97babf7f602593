// Differences of core in the calling thread. The routes of start.ts test what it shares with core in a worker.
import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { pino } from 'pino'
import { describe, expect, test } from 'vitest'
import { explainCapabilities } from '../../src/acl.js'
import { defineCore, plugin, type BusOptions } from '../../src/index.js'
import { fixture, isolation, next, start } from '../support/start.js'
import { choose, rows } from '../../../../scripts/testing.js'

const capability = (...permissions: string[]) => ({ identifier: 'some', windows: ['*'], permissions })

const patterns: [name: string, allowing: (...permissions: string[]) => Partial<BusOptions>][] = [
  ['brownfield', () => ({})],
  ['isolation', (...permissions) => isolation('judge', {}, capability(...permissions))],
]

describe.each(choose(patterns))('core in the calling thread, %s', (_name, allowing) => {
  test('shares objects with the host', async () => {
    const store = new Map<string, unknown>()
    const core = defineCore({
      commands: {
        set: ({ key, value }: { key: string; value: unknown }) => void store.set(key, value),
        get: ({ key }: { key: string }) => store.get(key),
      },
      setup: app => void app.manage(Map, store),
    })
    const bus = await start({ core, ...allowing('allow-set', 'allow-get') })
    const client = await bus.connect('tests')
    await client.invoke('set', { key: 'a', value: ['b'] })
    expect(await client.invoke('get', { key: 'a' })).toEqual(['b'])
    expect([...store.keys()]).toEqual(['a'])
    expect(await bus.stats()).toMatchObject({ core: { state: 'running' }, frontends: { tests: { calls: 2 } } })
  })

  test('serves frontends that are workers, with events and calls to them', async () => {
    const core = defineCore({
      commands: { greet: ({ name }: { name: string }) => `Hello, ${name}!` },
      setup: ({ listen, emit }) => void listen('shout', ({ payload }) => emit('received', payload)),
    })
    const bus = await start({ core, ...allowing('allow-greet'), frontends: { main: fixture('main.mjs') } })
    expect(await next(bus, 'main-ready')).toEqual({ greeting: 'Hello, World!' })
    const received = next(bus, 'received')
    await bus.emit('shout', 'x')
    expect(await received).toBe('x')
    await bus.closeFrontend('main')
    expect((await bus.stats()).frontends).toEqual({})
  })

  test('closes in time despite a call and a teardown that never end', async () => {
    const tornDown: string[] = []
    const core = defineCore({
      commands: { never: () => new Promise(() => {}), get: () => 1 },
      plugins: [plugin('stuck', { teardown: () => new Promise(() => tornDown.push('plugin')) })],
      teardown: () => void tornDown.push('core'),
    })
    const bus = await start({ core, ...allowing('allow-never', 'allow-get') })
    const client = await bus.connect('tests')
    const never = client.invoke('never')
    never.catch(() => {})
    await client.invoke('get')
    await bus.close({ timeout: 1 })
    await expect(never).rejects.toMatchObject({ reason: 'Disconnected', data: { delivered: 'unknown' } })
    expect(tornDown).toEqual(['core', 'plugin'])
    expect((await bus.stats()).core.state).toBe('stopped')
  })
})

test('supports plugins, capabilities at run time, denials, the log and explainCapabilities', async () => {
  const lines: Record<string, unknown>[] = []
  const log = pino({}, { write: (line: string) => void lines.push(JSON.parse(line) as Record<string, unknown>) })
  const core = defineCore({
    plugins: [plugin('files', { commands: { read: (_args: object, ctx) => ctx.log.info('is read') ?? 'text' } })],
  })
  const bus = await start({ core: { module: core, supervision: { restart: 'temporary' } }, log })
  const client = await bus.connect('tests')
  const denied = new Promise(resolve => bus.on('denied', resolve))
  await expect(client.invoke('plugin:files|read')).rejects.toMatchObject({ reason: 'Denied' })
  expect(await denied).toMatchObject({ label: 'tests' })
  await bus.addCapability(capability('files:allow-read'))
  expect(await client.invoke('plugin:files|read')).toBe('text')
  await expect.poll(() => lines.find(({ msg }) => msg === 'is read')).toMatchObject({ worker: 'core', label: 'tests' })
  const capabilities = [capability('files:allow-read')]
  expect((await explainCapabilities({ core, capabilities })).text).toContain('plugin:files|read')
})

describe('rejects an invalid core', () => {
  const failing = defineCore({ setup: () => Promise.reject(new Error('no database')) })
  test('a value that is no core is refused', () =>
    rows<[string, unknown, RegExp]>([
      ['a promise', Promise.resolve(defineCore({})), /^createBus: core is a promise: `await` it$/],
      ['a module', { default: defineCore({}) }, /^createBus: core is a module: its definition is its `default`$/],
      ['a list', [], /^createBus: core must be a URL or an absolute path/],
      [
        'a typing error',
        { modul: fixture('core.mjs') },
        /^createBus: core: unknown option "modul" \(did you mean "module"/,
      ],
      ['a member', { comands: {} }, /^createBus: core: unknown option "comands" \(did you mean "commands"\?\)$/],
      ['a member of one with supervision', { module: { comands: {} } }, /^createBus: core: unknown option "comands"/],
      ['a command', { commands: { x: 5 } }, /^command "x" must be a function/],
      ['a setup that fails', failing, /^`setup` of the core module failed: no database$/],
    ])(async (_name, core, message) => {
      await expect(start({ core } as Partial<BusOptions>)).rejects.toMatchObject({
        name: 'BusError',
        message: expect.stringMatching(message) as string,
      })
    }))
})

test('does not take a blocked host for a hung core, and several buses run in one thread', async () => {
  const core = defineCore({ commands: { block: ({ ms }: { ms: number }) => block(ms) } })
  // oxlint-disable-next-line sallyport/no-real-time -- the host is blocked for longer, however slow it is
  const buses = await Promise.all([1, 2].map(() => start({ core, supervision: { heartbeat: 50 } })))
  const clients = await Promise.all(buses.map(bus => bus.connect('tests')))
  expect(await Promise.all(clients.map(client => client.invoke('block', { ms: 300 })))).toEqual([300, 300])
  for (const bus of buses) expect((await bus.stats()).core).toMatchObject({ state: 'running', restarts: 0 })
})

function block(ms: number): number {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms)
  return ms
}

test('tears down a setup that finishes after its bus has failed', async () => {
  // The setup can begin after the bus has failed.
  let finish!: () => void
  const finished = new Promise<void>(resolve => (finish = resolve))
  let tornDown = false
  const core = defineCore({
    setup: () => finished,
    teardown: () => void (tornDown = true),
  })
  const app = isolation('none', {}, capability('core:default'))
  await expect(start({ core, ...app, frontends: { main: fixture('main.mjs') } })).rejects.toThrow(/set no window/)
  expect(tornDown).toBe(false)
  finish()
  await expect.poll(() => tornDown).toBe(true)
})

test('lets the process exit after close', async () => {
  const { stdout } = await promisify(execFile)(process.execPath, [
    fileURLToPath(fixture('host/core-in-process-host.mjs')),
  ])
  expect(stdout).toBe('served\n')
})
