// The mistakes that newcomers make: each message says what is wrong, where, and what to do.
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, describe, expect, test, vi } from 'vitest'
import { createBus, type Bus, type BusOptions, type Client } from '../../src/index.js'
import { fixture } from '../support/start.js'
import { rows } from '../../../../scripts/testing.js'

const core = fixture('host/newcomer/core.mjs')
let bus: Bus | undefined
afterEach(async () => {
  await bus?.close()
  bus = undefined
})

/** The error of a bus that does not start. */
const said = async (options: unknown): Promise<string> => {
  const error: unknown = await createBus(options as BusOptions).then(
    started => {
      bus = started
      throw new Error('it started')
    },
    (reason: unknown) => reason,
  )
  expect(error).toMatchObject({ reason: 'InvalidParams' })
  return (error as Error).message
}

describe('a bus that does not start', () => {
  const main = new URL('../nowhere/main.mjs', core)
  const dir = new URL('dist-isolation/', core)
  const permissions = ['allow-gret']

  test('options that are wrong are named, with what to do', () =>
    rows<[what: string, options: unknown, text: string | RegExp]>([
      ['no options', undefined, /^createBus: the options are missing, as in createBus\(\{ core: /],
      ['a number', 5, 'createBus must be an object: got 5'],
      ['a URL', core, `createBus: the options must be an object: got "${core.href}"`],
      ['frontend', { core, frontend: {} }, 'createBus: unknown option "frontend" (did you mean "frontends"?)'],
      ['frontned', { core, frontned: {} }, 'createBus: unknown option "frontned" (did you mean "frontends"?)'],
      [
        'a relative path',
        { core: './core.mjs' },
        'createBus: core must be a URL or an absolute path, as in new URL("./core.mjs", import.meta.url): got "./core.mjs"',
      ],
      [
        'a wrong path of core',
        { core: new URL('coer.mjs', core) },
        /^createBus: core: there is no file \/.*coer\.mjs \(did you mean "core\.mjs"\?\)$/,
      ],
      [
        'a wrong path of a frontend',
        { core, frontends: { main } },
        /^createBus: frontends\.main: there is no file \/.*main\.mjs, nor a directory \/.*nowhere$/,
      ],
      [
        'a directory',
        { core, frontends: { main: new URL('.', core) } },
        /^createBus: frontends\.main: \/.* is a directory\. Name a file in it$/,
      ],
      [
        'less memory than Node.js takes',
        { core, frontends: { main: { module: core, sandbox: { kind: 'process', memory: 4 } } } },
        /memory must be MiB, at least 40, which Node.js alone takes: got 4$|it needs Linux/,
      ],
      [
        'a sandbox without its kind',
        { core, frontends: { main: { module: core, sandbox: { net: true } } } },
        'createBus: frontends.main.sandbox.kind is missing: it must be "permission", "process" or "quickjs"',
      ],
      [
        'a core module without a default export',
        { core: fixture('host/newcomer/no-default.mjs') },
        /has no definition: it must `export default defineCore\(\{ … \}\)`$/,
      ],
      [
        'commands in place of the definition',
        { core: fixture('host/newcomer/bare-commands.mjs') },
        /: unknown option "greet": a command stands in commands: \{ … \}$/,
      ],
      [
        'a missing directory of a hook',
        { core, isolation: { dir } },
        /^createBus: isolation\.dir: there is no file \/.*index\.html, nor a directory \/.*dist-isolation$/,
      ],
      [
        'a permission with a typing error',
        { core, capabilities: [{ identifier: 'main', windows: ['main'], permissions }] },
        /capability "main": unknown permission allow-gret .*\(did you mean "allow-greet"\?\)$/,
      ],
    ])(async (_what, options, text) => {
      const message = await said(options)
      if (typeof text === 'string') expect(message).toBe(text)
      else expect(message).toMatch(text)
    }))

  test('the error of a core module that cannot be loaded says why', () =>
    rows([
      ['its place', '\nconst a = b b\n', /Unexpected identifier 'b' \(.*core\.mjs:2\)$/],
      [
        'the importing file',
        "\n\nimport { no } from 'node:fs'",
        /does not provide an export named 'no' \(.*core\.mjs:3\)$/,
      ],
      ['the importing file', "import './no.mjs'", /Cannot find module '.*no\.mjs' imported from .*core\.mjs$/],
    ])(async (_name, source, text) => {
      const directory = await mkdtemp(join(tmpdir(), 'sallyport-'))
      const module = join(directory, 'core.mjs')
      await writeFile(module, source)
      expect(await said({ core: module })).toMatch(text)
      await rm(directory, { recursive: true })
    }))
})

describe('a call', () => {
  let client: Client
  const failed = async (call: Promise<unknown>, reason: string): Promise<string> => {
    const error: unknown = await call.catch((why: unknown) => why)
    expect(error).toMatchObject({ reason })
    return (error as Error).message
  }
  const start = async (label = 'main', options: Partial<BusOptions> = {}): Promise<void> => {
    bus = await createBus({ core, log: false, ...options })
    client = await bus.connect(label)
  }

  test('a command with a typing error', async () => {
    await start()
    expect(await failed(client.invoke('gret'), 'MethodNotFound')).toBe('Command gret not found (did you mean "greet"?)')
  })

  test('a command that no capability allows', async () => {
    const capability = { identifier: 'main', windows: ['main'], permissions: ['allow-user'] }
    await start('main', { capabilities: [capability] })
    expect(await failed(client.invoke('greet', { name: 'Ada' }), 'Denied')).toContain(
      'Command greet not allowed by ACL: add "greet" to the option "allow" of the frontend "main", or add "allow-greet" to the permissions of a capability whose windows match "main"',
    )
  })

  test('arguments with a promise that was not awaited', async () => {
    await start()
    expect(await failed(client.invoke('greet', { name: Promise.resolve('Ada') }), 'InvalidParams')).toBe(
      'The argument "name" of command "greet" is a Promise: is an `await` missing?',
    )
    expect(await failed(client.invoke('greet', Promise.resolve({}) as never), 'InvalidParams')).toBe(
      'Arguments of command "greet" must be an object of named arguments, or bytes: got a Promise: is an `await` missing?',
    )
    expect(await failed(client.emit('news', { user: client.invoke('user') }), 'InvalidParams')).toBe(
      'Arguments of command "plugin:event|emit" cannot be serialized as json: payload.user is a value of type Promise, which JSON cannot represent: await it first',
    )
    expect(await failed(client.invoke('unawaited'), 'InternalError')).toBe(
      'The result of command "unawaited" cannot be serialized: user is a value of type Promise, which JSON cannot represent: await it first',
    )
  })

  test('with a value that JSON cannot represent', async () => {
    await start()
    const advice = "which JSON cannot represent: pass a string, or choose codec: 'msgpack'"
    expect(await failed(client.invoke('greet', { user: { ids: [1, 2n] } }), 'InvalidParams')).toBe(
      `Arguments of command "greet" cannot be serialized as json: user.ids[1] is a BigInt, ${advice}`,
    )
    expect(await failed(client.invoke('user', { id: 'bigint' }), 'InternalError')).toBe(
      `The result of command "user" cannot be serialized: id is a BigInt, ${advice.replace('pass', 'return')}`,
    )
    expect(await failed(client.invoke('greet', ['Ada'] as never), 'InvalidParams')).toBe(
      'Arguments of command "greet" must be an object of named arguments, or bytes: got an array',
    )
    const list: unknown[] = []
    list.push(list)
    expect(await failed(client.invoke('greet', { list, n: 1n }), 'InvalidParams')).toContain('circular structure')
  })

  test('with options in place of the arguments', async () => {
    await start()
    const warn = vi.spyOn(process, 'emitWarning').mockImplementation(() => {})
    client.expose({ wait: (args: object) => args })
    for (let i = 0; i < 2; i++) expect(await bus!.call('main', 'wait', { timeout: 1 })).toEqual({ timeout: 1 })
    await bus!.call('main', 'wait', { timeout: 1 }, {})
    await client.invoke('greet', { name: 'Ada', timeout: 1 })
    await client.invoke('user', { timeout: 1 })
    const advice =
      'has only arguments that are named like options (timeout). Pass options after the arguments, or {} there'
    expect(warn.mock.calls.map(([text]) => text)).toEqual([
      expect.stringContaining(`Call of function "wait" ${advice}`),
      expect.stringContaining(`Call of command "user" ${advice}`),
    ])
    warn.mockRestore()
    const { signal } = new AbortController()
    expect(await failed(bus!.call('main', 'wait', { signal }), 'InvalidParams')).toContain(
      'signal is a value of type AbortSignal, which JSON cannot represent: pass it as the option `signal`, after the arguments',
    )
  })

  test('to a frontend, or of a function there, with a typing error', async () => {
    await start()
    client.expose({ upper: ({ text }: { text: string }) => text.toUpperCase() })
    expect(await failed(bus!.call('mian', 'upper'), 'Disconnected')).toBe(
      'There is no frontend "mian" (did you mean "main"?)',
    )
    expect(await failed(bus!.closeFrontend('mian'), 'Disconnected')).toBe(
      'There is no frontend "mian" (did you mean "main"?)',
    )
    expect(await failed(bus!.call('main', 'uper'), 'MethodNotFound')).toBe(
      'The frontend exposes no function "uper" (did you mean "upper"?)',
    )
  })
})

test('a failed call without a handler ends its frontend with an explanation', async () => {
  bus = await createBus({ core, log: false, frontends: { main: fixture('host/newcomer/main.mjs') } })
  const faults: string[] = []
  bus.on('fault', ({ error }) => faults.push(error.message))
  await expect.poll(() => faults.length).toBeGreaterThan(0)
  expect(faults[0]).toBe(
    'Command gret not found (did you mean "greet"?) (this rejection was not caught: is an `await` missing?)',
  )
})

test('an uncaught denial names its command and its place, and does not repeat how to allow it', async () => {
  const source = `import { invoke } from '@sallyport/frontend'\ninvoke('greet', { name: 'x' })`
  bus = await createBus({ core, log: false })
  const fault = new Promise<Error>(resolve => bus!.on('fault', ({ error }) => resolve(error)))
  await bus.open('main', { source }, { sandbox: 'permission', allow: [], loaded: false })
  const { message, stack } = await fault
  expect(message).toBe('Uncaught denial of greet: is an `await` missing?')
  expect(stack).toMatch(/^BusError \[Denied\]: Uncaught denial of greet: is an `await` missing\?\n.*source\.js:2:\d+/)
})

test('a frontend that starts a bus gets an error that names the right import', async () => {
  // The node_modules above it do not have core.
  const read = [fileURLToPath(new URL('../../../', import.meta.url))]
  const main = { module: fixture('host/newcomer/starts-a-bus.mjs'), sandbox: { kind: 'permission', read } } as const
  const starting = createBus({ core, log: false, frontends: { main } })
  await expect(starting).rejects.toThrow(/In a frontend, import @sallyport\/frontend, not @sallyport\/core$/)
})
