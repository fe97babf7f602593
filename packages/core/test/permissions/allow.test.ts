// `allow` of a frontend: a capability for its label alone, and what the log says about commands that are open.
import { pino } from 'pino'
import { describe, expect, test } from 'vitest'
import { type BusOptions, defineCore, plugin } from '../../src/index.js'
import { fixture, start } from '../support/start.js'

const files = plugin('files', { commands: { read_text: () => 'text', write_text: () => 'written' } })
const core = defineCore({ commands: { greet: () => 'hello', add: () => 3 }, plugins: [files] })

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
    const bus = await startWith({ frontends: { main: { module, allow }, other: module } })
    const invoke = (label: string, command: string): Promise<unknown> => bus.call(label, 'invoke', { command })
    expect(await invoke('main', 'greet')).toBe('hello')
    expect(await invoke('main', 'plugin:files|read_text')).toBe('text')
    expect(await invoke('main', 'plugin:files|write_text')).toBe('written')
    expect(await invoke('main', 'add')).toBe('Denied')
    expect(await invoke('other', 'greet')).toBe('Denied')
  })

  test('closes app commands if it is empty, also to other frontends', async () => {
    const bus = await startWith({ frontends: { main: { module, allow: [] } } })
    const hints: string[] = []
    bus.on('denied', ({ hint }) => void hints.push(hint))
    expect(await bus.call('main', 'invoke', { command: 'greet' })).toBe('Denied')
    expect(await bus.call('main', 'invoke', { command: 'plugin:files|read_text' })).toBe('Denied')
    const names = ['greet', 'files:allow-read-text']
    await expect
      .poll(() => hints)
      .toEqual(names.map(name => `add "${name}" to the option "allow" of the frontend "main"`))
    const client = await bus.connect('other')
    await expect(client.invoke('greet')).rejects.toMatchObject({ reason: 'Denied' })
  })

  test('applies until its frontend closes, also after a restart of core', async () => {
    const bus = await start({ core: fixture('core.mjs') })
    await bus.open('main', module, { allow: ['add'] })
    const add = { command: 'add', args: { a: 1, b: 2 } }
    expect(await bus.call('main', 'invoke', add)).toBe(3)
    await bus.reload('core')
    expect(await bus.call('main', 'invoke', add)).toBe(3)
    await bus.closeFrontend('main')
    const client = await bus.connect('main')
    await expect(client.invoke('add', { a: 1, b: 2 })).rejects.toMatchObject({ reason: 'Denied' })
    await client.close()
    await bus.open('main', module, { allow: ['greet'] })
    expect(await bus.call('main', 'invoke', add)).toBe('Denied')
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
  test.each([
    ['read_text', ' (did you mean "plugin:files|read_text"?)'],
    ['files|read_text', ' (did you mean "plugin:files|read_text"?)'],
    ['plugin:files|reed_text', ' (did you mean "plugin:files|read_text"?)'],
    ['plugin:http|fetch', ''],
    ['*', ''],
  ])('%j is rejected as neither a command nor a permission', async (entry, hint) => {
    await expect(startWith({ frontends: { main: { module, allow: ['greet', entry] } } })).rejects.toMatchObject({
      message: `createBus: frontends.main.allow[1]: unknown command or permission "${entry}"${hint}`,
    })
  })
})

describe('the log', () => {
  test('warns about the entry of allow that allows nothing', async () => {
    const { log, messages } = logged()
    await startWith({ frontends: { main: { module, allow: ['greet', 'files:default'] } }, log })
    expect(messages()).toEqual([
      'createBus: frontends.main.allow[1]: "files:default" allows nothing, because no default permissions are defined. Name permissions of commands',
    ])
  })

  const OPEN = /^A sandboxed frontend can call every app command: no capability names one\./

  test('warns once about open commands if a sandboxed frontend starts', async () => {
    const { log, messages } = logged()
    const bus = await startWith({ frontends: { main: module }, log })
    await bus.open('other', module)
    expect(messages().filter(message => OPEN.test(message))).toHaveLength(1)
  })

  test.each<[what: string, options: Partial<BusOptions>]>([
    ['an empty list of capabilities', { app: { security: { capabilities: [] } } }],
    ['allow', { frontends: { main: { module, allow: [] } } }],
    [
      'the isolation pattern',
      { app: { security: { pattern: { use: 'isolation', options: { dir: fixture('isolation/hooks/judge/') } } } } },
    ],
    ['no sandbox', { frontends: { main: { module, sandbox: 'none' } } }],
    ['no command', { core: {} }],
  ])('does not warn about open commands with %s', async (_what, options) => {
    const { log, messages } = logged()
    await startWith({ frontends: { main: module }, log, ...options })
    expect(messages().filter(message => OPEN.test(message))).toEqual([])
  })

  test('reports once that the first capability at run time closes the other commands', async () => {
    const { log, messages } = logged()
    const bus = await startWith({ log })
    await bus.addCapability({ identifier: 'files', windows: ['a'], permissions: ['files:allow-read-text'] })
    await bus.stats()
    expect(messages()).toEqual([])
    await bus.addCapability({ identifier: 'first', windows: ['a'], permissions: ['allow-greet'] })
    await bus.addCapability({ identifier: 'second', windows: ['b'], permissions: ['allow-add'] })
    await bus.open('main', module, { allow: [] })
    await bus.stats()
    expect(messages()).toEqual([
      'App commands are now closed to every frontend, except those that a capability or `allow` names',
    ])
  })
})

test('a capability without windows and webviews is an error in options', async () => {
  const capability = { identifier: 'main', permissions: ['allow-greet'] }
  await expect(startWith({ app: { security: { capabilities: [capability] } } })).rejects.toThrow(
    'createBus: app.security.capabilities[0]: capability "main" applies to no frontend. Add its labels, as in "windows": ["main"]',
  )
  const bus = await startWith({})
  await expect(bus.addCapability(capability)).rejects.toThrow(
    'bus.addCapability: capability "main" applies to no frontend',
  )
})

test('the option windows is suggested for window in quotas', async () => {
  const quotas = [{ window: ['a'], rate: 1 }] as object[]
  await expect(startWith({ calls: { quotas } })).rejects.toThrow(
    'createBus: unknown option "calls.quotas[0].window" (did you mean "windows"?)',
  )
})
