// `allow` of a frontend: a capability for its label alone.
import { pino } from 'pino'
import { describe, expect, test } from 'vitest'
import { type BusOptions, type CommandContext, defineCore, plugin } from '../../src/index.js'
import { createDeferred } from '@sallyport/protocol/internal/util'
import { fixture, start } from '../support/start.js'
import { choose, rows } from '../../../../scripts/testing.js'

const files = plugin('files', { commands: { read_text: () => 'text', write_text: () => 'written' } })
const core = defineCore({ commands: { greet: () => 'hello', add: () => 3 }, plugins: [files] })

const READ = 'plugin:files|read_text'
const module = fixture('permissions/invoking.mjs')

function logged(): { log: pino.Logger; messages: () => string[] } {
  const lines: string[] = []
  const log = pino({ level: 'warn' }, { write: line => void lines.push(line) })
  return { log, messages: () => lines.map(line => (JSON.parse(line) as { msg: string }).msg) }
}

const startWith = (options: Partial<BusOptions>): ReturnType<typeof start> => start({ core, ...options })

describe('allow', () => {
  test('allows commands by name and permissions by identifier, to this frontend alone', async () => {
    const allow = ['greet', 'files:allow-read-text', 'plugin:files|write_text']
    const bus = await startWith({ frontends: { main: { module, allow } } })
    await bus.open('other', module)
    const invoke = (label: string, command: string): Promise<unknown> => bus.call(label, 'invoke', { command })
    expect(await invoke('main', 'greet')).toBe('hello')
    expect(await invoke('main', 'plugin:files|read_text')).toBe('text')
    expect(await invoke('main', 'plugin:files|write_text')).toBe('written')
    expect(await invoke('main', 'add')).toBe('Denied')
    expect(await invoke('other', 'greet')).toBe('Denied')
  })

  test('leaves a trusted frontend nothing else, and other trusted code as it was', async () => {
    const bus = await startWith({ frontends: { main: { module, allow: [], sandbox: 'none' } } })
    const hints: string[] = []
    bus.on('denied', ({ hint }) => void hints.push(hint))
    expect(await bus.call('main', 'invoke', { command: 'greet' })).toBe('Denied')
    expect(await bus.call('main', 'invoke', { command: 'plugin:files|read_text' })).toBe('Denied')
    const names = ['greet', 'files:allow-read-text']
    await expect
      .poll(() => hints)
      .toEqual(names.map(name => `add "${name}" to the option "allow" of the frontend "main"`))
    const client = await bus.connect('other')
    expect(await client.invoke('greet')).toBe('hello')
  })

  test('is an option of a connection too, until it closes', async () => {
    const bus = await startWith({})
    const client = await bus.connect('main', { allow: ['greet'] })
    expect(await client.invoke('greet')).toBe('hello')
    await expect(client.invoke('add')).rejects.toMatchObject({ reason: 'Denied' })
    await client.close()
    const again = await bus.connect('main')
    expect(await again.invoke('add')).toBe(3)
  })

  test('"*" is every app command and core:default, but no command of another plugin', async () => {
    const bus = await startWith({ frontends: { main: { module, allow: '*' }, more: { module, allow: ['*', READ] } } })
    const invoke = (label: string, command: string): Promise<unknown> =>
      bus.call(label, 'invoke', { command, args: { paths: ['a'] } })
    expect(await Promise.all(['greet', 'add', 'plugin:path|join', READ].map(name => invoke('main', name)))).toEqual([
      ...['hello', 3, 'a', 'Denied'],
    ])
    expect(await Promise.all(['greet', READ].map(name => invoke('more', name)))).toEqual(['hello', 'text'])
  })

  test('adds to what a capability allows, and a capability can deny what it allows', async () => {
    const capability = { identifier: 'a', windows: ['main'], permissions: ['allow-add', 'deny-greet'] }
    const bus = await startWith({
      capabilities: [capability],
      frontends: { main: { module, allow: ['greet', READ] } },
    })
    const invoke = (command: string): Promise<unknown> => bus.call('main', 'invoke', { command })
    expect(await Promise.all(['add', 'greet', READ].map(invoke))).toEqual([3, 'Denied', 'text'])
  })

  test('applies until its frontend closes, also after a restart of core', async () => {
    const bus = await start({ core: fixture('core.mjs') })
    await bus.open('main', module, { allow: ['add'] })
    const add = { command: 'add', args: { a: 1, b: 2 } }
    expect(await bus.call('main', 'invoke', add)).toBe(3)
    await bus.reload('core')
    expect(await bus.call('main', 'invoke', add)).toBe(3)
    await bus.closeFrontend('main')
    await bus.open('main', module)
    expect(await bus.call('main', 'invoke', add)).toBe('Denied')
    await bus.closeFrontend('main')
    await bus.open('main', module, { allow: ['greet'] })
    expect(await bus.call('main', 'invoke', add)).toBe('Denied')
  })

  test('counts for a call that goes on after the end of its frontend, though another one has the label', async () => {
    const [begun, goOn, seen] = [createDeferred<void>(), createDeferred<void>(), createDeferred<unknown>()]
    const wait = async (_args: unknown, ctx: CommandContext): Promise<void> => {
      begun.resolve()
      await goOn.promise
      seen.resolve(['wait', 'greet'].map(command => ctx.permits(command)))
    }
    const bus = await start({ core: defineCore({ commands: { greet: () => 'hello', wait } }) })
    const first = await bus.connect('main', { allow: ['wait'] })
    const waiting = first.invoke('wait')
    await begun.promise
    await first.close()
    await expect(waiting).rejects.toMatchObject({ reason: 'Disconnected' })
    const next = await bus.connect('main', { allow: ['greet'] })
    expect(await next.invoke('greet')).toBe('hello')
    goOn.resolve()
    expect(await seen.promise).toEqual([true, false])
  })

  test('is rejected if a name is unknown, with the nearest command or permission', async () => {
    const bus = await startWith({})
    await expect(bus.open('main', module, { allow: ['greet', 'gret'] })).rejects.toThrow(
      'bus.open: allow[1]: unknown command or permission "gret" (did you mean "greet"?)',
    )
    await expect(bus.open('main', module, { allow: ['files:allow-reed-text'] })).rejects.toThrow(
      'did you mean "files:allow-read-text"?',
    )
    for (const name of ['plugin:fs|read_text_file', 'erase']) {
      await expect(bus.open('main', module, { allow: [name] })).rejects.toThrow(
        `bus.open: allow[0]: unknown command or permission "${name}"`,
      )
    }
    await bus.open('main', module, { allow: ['greet'] })
    expect(await bus.call('main', 'invoke', { command: 'greet' })).toBe('hello')
    await expect(startWith({ frontends: { main: { module, allow: ['gret'] } } })).rejects.toThrow(
      'createBus: frontends.main.allow[0]: unknown command or permission "gret"',
    )
  })
})

describe('an unknown entry of allow', () => {
  test('a wrong name is rejected as neither a command nor a permission', () =>
    rows([
      ['read_text', ' (did you mean "plugin:files|read_text"?)'],
      ['files|read_text', ' (did you mean "plugin:files|read_text"?)'],
      ['plugin:files|reed_text', ' (did you mean "plugin:files|read_text"?)'],
      ['plugin:http|fetch', ''],
      ['**', ''],
    ])(async (entry, hint) => {
      await expect(startWith({ frontends: { main: { module, allow: ['greet', entry] } } })).rejects.toMatchObject({
        message: `createBus: frontends.main.allow[1]: unknown command or permission "${entry}"${hint}`,
      })
    }))
})

test('an entry of allow that allows nothing is logged', async () => {
  const { log, messages } = logged()
  await startWith({ frontends: { main: { module, allow: ['greet', 'files:default'] } }, log })
  expect(messages()).toEqual([
    'createBus: frontends.main.allow[1]: "files:default" allows nothing, because no default permissions are defined. Name permissions of commands',
  ])
})

describe('scopes in allow', () => {
  const scoped = fixture('permissions/scoped.mjs')
  const entry = { permission: 'files:allow-read-text', allow: ['/tmp/**', { path: '/var' }], deny: ['/tmp/x'] }
  const expected = { allow: entry.allow, deny: entry.deny, global: { allow: [], deny: [] } }

  test('reach ctx.scope, of this frontend alone', () =>
    rows(choose(['brownfield', 'isolation'] as const))(async use => {
      const bus = await start({
        core: scoped,
        ...(use === 'isolation' && { isolation: {} }),
        frontends: { main: { module, allow: [entry] }, other: { module, allow: [READ] } },
      })
      const invoke = (label: string): Promise<unknown> => bus.call(label, 'invoke', { command: READ })
      expect(await invoke('main')).toEqual(expected)
      expect(await invoke('other')).toEqual({ ...expected, allow: [], deny: [] })
    }))

  test('can be given to the name of a command, and are added to those of a capability', async () => {
    const bus = await start({ core: scoped })
    const permissions = [{ identifier: 'allow-scope', allow: ['a'] }]
    await bus.addCapability({ identifier: 'a', windows: ['main'], permissions })
    const client = await bus.connect('main', { allow: [{ permission: 'scope', allow: ['b'] }] })
    expect(await client.invoke('scope')).toMatchObject({ allow: ['a', 'b'], deny: [] })
  })
})

describe('a mistake in allow', () => {
  const circular: unknown[] = []
  circular.push(circular)
  test('a mistake has its place in the error', () =>
    rows<[allow: unknown, text: string]>([
      ['greet', ' must be an array, or "*": got "greet"'],
      [new Map(), ' must be an array, or "*": got Map'],
      [null, ' must be an array, or "*": got null'],
      [[3], '[0] must be the name of a command or permission: got 3'],
      [[''], '[0] must be the name of a command or permission: got ""'],
      [[['greet']], '[0] must be the name of a command or permission: got Array'],
      [[{ permission: 3 }], '[0].permission must be the name of a command or permission: got 3'],
      [['add', { allow: ['x'] }], '[1].permission is missing'],
      [[{ permission: 'greet', allow: 'x' }], '[0].allow must be an array of values: got "x"'],
      [[{ permission: 'gret' }], '[0].permission: unknown command or permission "gret" (did you mean "greet"?)'],
      [[{ permission: 'greet', allow: [new Map()] }], '[0]: allow[0]: must be a JSON value: got Map'],
      [[{ permission: 'greet', deny: [new URL('file:///x')] }], '[0]: deny[0]: must be a JSON value: got URL'],
      [[{ permission: 'greet', deny: circular }], '[0]: deny[0][0]: must be a JSON value: got a circular reference'],
    ])(async (allow, text) => {
      const options = { allow } as { allow: string[] }
      const error = { reason: 'InvalidParams' }
      await expect(startWith({ frontends: { main: { module, ...options } } })).rejects.toMatchObject({
        ...error,
        message: `createBus: frontends.main.allow${text}`,
      })
      const bus = await startWith({})
      await expect(bus.open('main', module, options)).rejects.toMatchObject({
        ...error,
        message: `bus.open: allow${text}`,
      })
      await expect(bus.connect('main', options)).rejects.toMatchObject({
        ...error,
        message: `bus.connect: allow${text}`,
      })
    }))

  test('is named if it is an unknown key', async () => {
    const allow = [{ permission: 'greet', alow: ['x'] }] as unknown as string[]
    await expect(startWith({ frontends: { main: { module, allow } } })).rejects.toThrow(
      'createBus: unknown option "frontends.main.allow[0].alow" (did you mean "allow"?)',
    )
  })
})

test('a capability without windows and webviews is an error in options', async () => {
  const capability = { identifier: 'main', permissions: ['allow-greet'] }
  await expect(startWith({ capabilities: [capability] })).rejects.toThrow(
    'createBus: capabilities[0]: capability "main" applies to no frontend. Add its labels, as in "windows": ["main"]',
  )
  const bus = await startWith({})
  await expect(bus.addCapability(capability)).rejects.toThrow(
    'bus.addCapability: capability "main" applies to no frontend',
  )
})

test('the option labels is suggested for label in quotas', async () => {
  const quotas = [{ label: ['a'], rate: 1 }] as object[]
  await expect(startWith({ calls: { quotas } })).rejects.toThrow(
    'createBus: unknown option "calls.quotas[0].label" (did you mean "labels"?)',
  )
})
