// Start and close of a bus: mistakes are named, every call settles, and no thread is left.
import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { pino } from 'pino'
import { describe, expect, test, vi } from 'vitest'
import { choose, rows } from '../../../../../scripts/testing.js'
import { Bus } from '../../../src/host/bus.js'
import type { BusOptions } from '../../../src/index.js'
import { fixture, isolation, patterns, places, start } from '../../support/start.js'
import { settle, takeClock } from '../../support/supervised.js'

const at = (source: string): URL => new URL(`data:text/javascript,${encodeURIComponent(source)}`)

describe('createBus rejects', () => {
  const core = fixture('core.mjs')
  const main = fixture('main.mjs')
  const mistakes: [what: string, options: object, message: RegExp][] = [
    ['no core', { core: undefined }, /^createBus: core is missing, as in createBus/],
    [
      'a missing core file',
      { core: fixture('nope.mjs') },
      /^createBus: core: there is no file .*nope\.mjs( \(did you mean .*\))?$/,
    ],
    [
      'a relative path',
      { core: './core.mjs' },
      /^createBus: core must be a URL or an absolute path, as in new URL\("\.\/core\.mjs", import\.meta\.url\): got "\.\/core\.mjs"$/,
    ],
    ['a core with a syntax error', { core: at('export default {') }, /^The core module .* could not be loaded: /],
    ['a core that throws', { core: at('throw new Error("boom")') }, /could not be loaded: boom$/],
    ['a core without a definition', { core: at('export const x = 1') }, /must `export default defineCore\({ … }\)`$/],
    ['an invalid command', { core: at('export default { commands: { x: 5 } }') }, /^command "x" must be a function/],
    [
      'a reserved name',
      { core: at('export default { commands: { "$/x": () => 1 } }') },
      /"\$\/x" has a name that is reserved/,
    ],
    [
      'a command name with a space',
      { core: { commands: { 'read note': () => 1 } } },
      /^Command name must include only alphanumeric characters, `-`, `\/`, `:`, `_` and `\.`: got "read note"$/,
    ],
    [
      'a command name of a plugin with the separator',
      { core: { plugins: [{ name: 'notes', commands: { 'read|note': () => 1 } }] } },
      /^Command name must include .*: got "plugin:notes\|read\|note"$/,
    ],
    [
      'a setup that fails',
      { core: at('export default { setup() { throw new Error("no db") } }') },
      /^`setup` of the core module failed: no db$/,
    ],
    ['a core that is an array', { core: at('export default []') }, /must `export default defineCore/],
    [
      'an unknown option of a core',
      { core: at('export default { comands: {} }') },
      /unknown option "comands" \(did you mean "commands"/,
    ],
    ['invalid plugins', { core: at('export default { plugins: {} }') }, /plugins must be an array of plugin/],
    ['invalid commands', { core: at('export default { commands: 5 }') }, /commands must be an object/],
    [
      'a missing thread file',
      { core: at('export default { commands: { x: { kind: "command", thread: new URL("file:///nope.js") } } }') },
      /command "x": thread: there is no file/,
    ],
    ['a core that exits', { core: at('process.exit(3)') }, /^core exited with code 3$/],
    ['an unknown option', { core, frontend: {} }, /unknown option "frontend" \(did you mean "frontends"\?\)$/],
    [
      'an unknown nested option',
      { core, isolation: { hookTimout: 1000 } },
      /"isolation\.hookTimout" \(did you mean "hookTimeout"/,
    ],
    [
      'a capability without permissions',
      { core, capabilities: [{ identifier: 'x' }] },
      /createBus: capabilities\[0\]: permissions: is missing/,
    ],
    [
      'a missing frontend file',
      { core, frontends: { main: fixture('nope.mjs') } },
      /frontends\.main: there is no file/,
    ],
    [
      'an invalid location of a frontend',
      { core, frontends: { main: 5 } },
      /frontends\.main must be a URL or an absolute path: got 5/,
    ],
    ['an unknown codec', { core, codec: 'xml' }, /codec must be "json" or "msgpack": got "xml"/],
    [
      'an unknown option of a frontend',
      { core, frontends: { main: { module: main, sandbx: 'none' } } },
      /"frontends\.main\.sandbx" \(did/,
    ],
    [
      'an invalid label',
      { core, frontends: { 'a b': main } },
      /must be a label of 1 to 200 letters, digits, .*, such as "a-b": got "a b"/,
    ],
    ['an npm name', { core, frontends: { '@acme/x': main } }, /such as "acme-x": got "@acme\/x"/],
    ['another npm name', { core, frontends: { 'lodash.merge': main } }, /such as "lodash-merge"/],
    ['a label without letters', { core, frontends: { '@@': main } }, /digits, "-", "\/", ":" and "_": got "@@"/],
    ['a label that valibot ignores', { core, frontends: { constructor: main } }, /other than .*got "constructor"/],
    ['a prototype as a label', { core, frontends: { ['__proto__']: main } }, /other than .*got "__proto__"/],
    ['a method of all objects as a label', { core, frontends: { toString: main } }, /other than .*got "toString"/],
    [
      'an invalid glob',
      { core, capabilities: [{ identifier: 'x', windows: ['['], permissions: [] }] },
      /capabilities\[0\]: windows\[0\]: .*invalid range pattern/,
    ],
    [
      'a reserved label',
      { core, frontends: { core: main } },
      /a label other than "host", "core", "run-" with a number/,
    ],
    ['a console as log', { core, log: console }, /log must be a pino logger, a level such as "info", or false/],
    ['an invalid log', { core, log: true }, /log must be a pino logger, a level such as "info", or false/],
  ]

  test('a mistake, and names it', () =>
    rows(mistakes)((_what, options, message) =>
      expect(start(options as Partial<BusOptions>)).rejects.toMatchObject({
        name: 'BusError',
        message: expect.stringMatching(message) as string,
      }),
    ))
})

test('createBus accepts absolute paths', async () => {
  const bus = await start({ core: fileURLToPath(fixture('core.mjs')) })
  expect(await (await bus.connect('tests')).invoke('add', { a: 1, b: 2 })).toBe(3)
})

test('a label is unique, and free after its frontend has closed', async () => {
  const bus = await start()
  const client = await bus.connect('tests')
  await expect(bus.connect('tests')).rejects.toMatchObject({
    message: expect.stringContaining('Frontend "tests" already exists') as string,
  })
  await client.close()
  expect(await (await bus.connect('tests')).invoke('add', { a: 1, b: 2 })).toBe(3)
  await expect(bus.connect('a b')).rejects.toThrow(/^bus\.connect: its label must be a label of .*: got "a b"$/)
  for (const label of ['__proto__', 'constructor', 'prototype', 'hasOwnProperty'])
    await expect(bus.connect(label)).rejects.toThrow(
      `names that objects inherit, such as "constructor": got "${label}"`,
    )
  await bus.closeFrontend('tests')
  await bus.closeFrontend('tests')
  const gone = { reason: 'Disconnected', message: 'There is no frontend "missing"' }
  await expect(bus.closeFrontend('missing')).rejects.toMatchObject(gone)
})

test('close gives calls in flight a second by default, and `await using` calls it', async () => {
  const bus = await start()
  const host = Bus.getHost(bus)
  const given: number[] = []
  const close = host.close.bind(host)
  vi.spyOn(host, 'close').mockImplementation((options, stop) =>
    close(options, timeout => {
      given.push(timeout)
      return stop(timeout)
    }),
  )
  await bus[Symbol.asyncDispose]()
  expect(given).toEqual([1000])
  await expect(bus.connect('late')).rejects.toMatchObject({ reason: 'Disconnected' })
})

describe.each(patterns)('close: %s', (_name, app) => {
  test('answers calls that were made right before, and those in flight with a large answer', () =>
    rows(['json'] as const)(async codec => {
      const bus = await start({ ...app, codec })
      const client = await bus.connect('tests')
      const value = 'x'.repeat(2_000_000)
      const call = client.invoke<string>('slow', { ms: 1, value })
      const calls = [1, 2, 3].map(a => client.invoke('add', { a, b: 1 }))
      await bus.close()
      expect(await Promise.all(calls)).toEqual([2, 3, 4])
      expect((await call).length).toBe(value.length)
    }))

  test('waits for calls in flight, and settles those that do not finish', async () => {
    takeClock()
    const bus = await start(app)
    const client = await bus.connect('tests')
    const soon = client.invoke('slow', { ms: 1, value: 'done' })
    const never = client.invoke('never_ends')
    never.catch(() => {})
    await client.invoke('add', { a: 1, b: 1 })
    const closed = bus.close({ timeout: 60_000 })
    expect(await soon).toBe('done')
    await settle(closed)
    await expect(never).rejects.toMatchObject({ reason: 'Disconnected', data: { delivered: 'unknown' } })
    await expect(client.invoke('add')).rejects.toMatchObject({ reason: 'Disconnected', data: { delivered: 'no' } })
    await expect(bus.connect('late')).rejects.toMatchObject({ reason: 'Disconnected' })
    await bus.close()
  })
})

test('bus.on, bus.reload and bus.close check their arguments', async () => {
  const bus = await start()
  expect(() => bus.on('faults' as never, () => {})).toThrow(
    'bus.on: no event "faults" of the bus itself (did you mean "fault"?)',
  )
  for (const value of [undefined, null, 5, 'x', 1n, Symbol('x')] as never[]) {
    const invalid = expect.objectContaining({ reason: 'InvalidParams' }) as Error
    expect(() => bus.on(value, () => {})).toThrow(invalid)
    expect(() => bus.on('fault', value)).toThrow(invalid)
    if (value !== 'x') await expect(bus.reload(value)).rejects.toThrow(invalid)
  }
  await expect(bus.close({ timeout: Infinity })).rejects.toMatchObject({ reason: 'InvalidParams' })
  expect(await (await bus.connect('tests')).invoke('add', { a: 1, b: 1 })).toBe(2)
})

describe('a failing frontend', () => {
  const sources = {
    'reports nonsense': `import { parentPort } from 'node:worker_threads'
      parentPort.postMessage({ type: 'state', state: 'failed', error: { message: 'x', reason: { toString: 1, valueOf: 1 } } })
      process.exit(1)`,
    'throws a value without a string form': 'setTimeout(() => { throw { toString: 1, valueOf: 1 } })',
  }

  test('does not end the host if it reports nonsense, or throws a value without a string form', () =>
    rows(sources)(async source => {
      const bus = await start()
      const fault = new Promise(resolve => bus.on('fault', resolve))
      await bus.open('bad', at(source), { loaded: false })
      expect(await fault).toMatchObject({ label: 'bad', error: { name: 'BusError', reason: 'Crashed' } })
    }))

  test.each(choose(places))('does not affect others: %s', async (_name, app, sandbox) => {
    const bus = await start({ ...app, supervision: { restart: 'temporary' } })
    const failing = at('setTimeout(() => { throw new Error("of the frontend") })')
    const fault = new Promise(resolve => bus.on('fault', resolve))
    await bus.open('bad', failing, { sandbox, loaded: false })
    expect(await fault).toMatchObject({ label: 'bad', error: { message: 'of the frontend' } })
    await expect.poll(() => bus.stats()).toHaveProperty('frontends.bad.state', 'failed')
    const client = await bus.connect('bad')
    expect(await client.invoke('add', { a: 1, b: 2 })).toBe(3)
  })
})

test('logs rejections, handler output and the console of the hook', async () => {
  const lines: Record<string, unknown>[] = []
  const write = (line: string): void => void lines.push(JSON.parse(line) as Record<string, unknown>)
  const log = pino({ level: 'warn' }, { write })
  const bus = await start({ log, ...isolation('judge') })
  const client = await bus.connect('tests')
  await client.invoke('add', { hook: 'null' }).catch(() => {})
  await client.invoke('add', { hook: 'log', a: 1, b: 2 })
  await client.invoke('log_line', { text: 'from a handler' })
  const rejected = new Promise(resolve => bus.on('rejected', resolve))
  await client.invoke('fails', { hook: 'throw' }).catch(() => {})
  await rejected
  expect(lines).toEqual(
    expect.arrayContaining([
      expect.objectContaining({ level: 40, msg: 'rejected', label: 'tests', command: 'add', why: 'null' }),
      expect.objectContaining({ worker: 'gate', label: 'tests', msg: 'the hook says add' }),
      expect.objectContaining({
        worker: 'core',
        label: 'tests',
        command: 'log_line',
        from: 'handler',
        msg: 'from a handler',
      }),
    ]),
  )
})

// A closed bus seen from outside: no thread is left, and the process exits by itself.
describe('from outside', () => {
  const program = fileURLToPath(fixture('supervision/program.mjs'))
  const ways = {
    'a program': [program],
    'with flags of V8 and of the process': ['--max-old-space-size=500', '--expose-gc', program],
    'that requires no ES module': ['--trace-require-module=all', program],
    'from the command line': [
      '--input-type=module',
      '-e',
      `await import(${JSON.stringify(pathToFileURL(program).href)})`,
    ],
  }

  test('a closed bus leaves no thread and lets the process exit', () =>
    rows(ways)(async args => {
      const { stdout, stderr } = await promisify(execFile)(process.execPath, args)
      expect(stderr).toBe('')
      expect(stdout).toBe('closed, 0 left\n')
    }))
})
