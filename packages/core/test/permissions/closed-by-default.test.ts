// The commands that a frontend may call without `allow` and without a capability for its label, by the kind of frontend.
import { describe, expect, test } from 'vitest'
import { type Bus, type BusOptions, defineCore, plugin } from '../../src/index.js'
import { dial, socketNetwork } from '../support/socket-network.js'
import { writeProject } from '../support/project.js'
import { fixture, start } from '../support/start.js'
import { choose, rows } from '../../../../scripts/testing.js'

const READ = 'plugin:files|read_text'
const core = defineCore({
  commands: {
    greet: () => 'hello',
    add: () => 3,
    permits: ({ commands }: { commands: string[] }, ctx) => commands.map(ctx.permits),
    async *count() {
      yield 1
    },
  },
  plugins: [plugin('files', { commands: { read_text: () => 'text' } })],
})

const module = fixture('permissions/invoking.mjs')
const args = { paths: ['a'], event: 'x' }
const invoke = (bus: Bus, label: string, command: string): Promise<unknown> =>
  bus.call(label, 'invoke', { command, args })

/** Commands that need a permission, and those that need none. */
const closed = ['greet', 'count', READ, 'plugin:path|join', 'plugin:window|get_all_windows']
const open = ['plugin:event|emit', 'plugin:app|name']

const patterns = [
  ['brownfield', {}],
  ['isolation', { isolation: {} }],
] satisfies [string, Partial<BusOptions>][]

describe.each(patterns)('without a permission, %s', (_name, app) => {
  test('each sandbox has only what is open to all', () =>
    rows(['permission', 'process', 'quickjs'] as const)(async sandbox => {
      const bus = await start({ core, ...app })
      await bus.open('main', module, { sandbox })
      for (const command of closed) expect([command, await invoke(bus, 'main', command)]).toEqual([command, 'Denied'])
      for (const command of open) expect(await invoke(bus, 'main', command)).not.toBe('Denied')
    }))

  test('trusted code: every app command and core:default, but no command of another plugin', async () => {
    const bus = await start({ core, ...app })
    await bus.open('main', module, { sandbox: 'none' })
    const client = await bus.connect('host-client')
    const calls = [
      (command: string) => invoke(bus, 'main', command),
      (command: string) => client.invoke(command, args).catch((error: unknown) => (error as { reason: string }).reason),
    ]
    for (const call of calls) {
      expect(await Promise.all(['greet', 'plugin:path|join', READ].map(call))).toEqual(['hello', 'a', 'Denied'])
    }
  })
})

test('a frontend that may call nothing answers, listens, emits and exposes', async () => {
  const bus = await start({ core })
  const source = `import { emit, expose, listen } from '${import.meta.resolve('@sallyport/frontend')}'
    await listen('question', ({ payload }) => emit('answer', payload * 2))
    expose({ double: ({ n }) => n * 2 })`
  await bus.open('main', new URL(`data:text/javascript,${encodeURIComponent(source)}`))
  expect(await bus.call('main', 'double', { n: 2 })).toBe(4)
  const answer = bus.once<number>('answer')
  await bus.emit('question', 21)
  expect((await answer).payload).toBe(42)
})

describe('a process that joins', () => {
  const app = { capabilities: [{ identifier: 'a', windows: ['named'], permissions: ['allow-greet'] }] }

  test('may call what a capability for its label names, and nothing else', async () => {
    const { path, network } = socketNetwork()
    await start({ core: fixture('core.mjs'), ...app, network })
    const { client: named } = await dial(path, { label: 'named' })
    const { client: other } = await dial(path, { label: 'other' })
    expect(await named.invoke('greet', { name: 'x' })).toBe('Hello, x!')
    for (const [client, command] of [
      [named, 'add'],
      [named, 'plugin:path|join'],
      [other, 'greet'],
    ] as const) {
      await expect(client.invoke(command, args)).rejects.toMatchObject({ reason: 'Denied' })
    }
    await other.emit('x')
  })

  test('does not get the rights of code of the host that had its label', async () => {
    const { path, network } = socketNetwork()
    const bus = await start({ core: fixture('core.mjs'), network })
    const trusted = await bus.connect('other')
    expect(await trusted.invoke('add', { a: 1, b: 2 })).toBe(3)
    await trusted.close()
    const { client } = await dial(path, { label: 'other' })
    await expect(client.invoke('add', { a: 1, b: 2 })).rejects.toMatchObject({ reason: 'Denied' })
  })
})

describe('ctx.permits', () => {
  test('is true for what the caller may call, of the app and of plugins, and false for an unknown command', async () => {
    const bus = await start({ core, frontends: { main: { module, allow: ['permits', READ] } } })
    const commands = ['permits', READ, 'greet', 'plugin:path|join', 'plugin:event|emit', 'unknown', '', 'plugin:x|y']
    const ask = (): Promise<unknown> => bus.call('main', 'invoke', { command: 'permits', args: { commands } })
    expect(await ask()).toEqual([true, true, false, false, true, false, false, false])
    await bus.addCapability({
      identifier: 'a',
      windows: ['main'],
      permissions: ['allow-greet', 'files:deny-read-text'],
    })
    expect(await ask()).toEqual([true, false, true, false, true, false, false, false])
    await bus.removeCapability('a')
    expect(await ask()).toEqual([true, true, false, false, true, false, false, false])
  })
})

describe('in a Tauri project', () => {
  const permission = 'commands.allow = ["greet"]\nidentifier = "greeting"\ndescription = ""'
  const manifests = { '__app-acl__': { permissions: {}, permission_sets: {}, default_permission: null } }
  const projects: [name: string, files: Record<string, unknown>, answers: unknown[]][] = [
    ['without permissions of the app', {}, ['hello', 3, 'Denied', 'Denied']],
    [
      'with permission files of the app',
      { 'permissions/app.toml': `[[permission]]\n${permission}` },
      ['hello', 'Denied', 'Denied', 'Denied'],
    ],
    [
      'with a manifest of the app',
      { 'gen/schemas/acl-manifests.json': manifests },
      ['hello', 'Denied', 'Denied', 'Denied'],
    ],
  ]

  describe.each(choose(['brownfield', 'isolation'] as const))('%s', use => {
    test('sandboxed and trusted code have the rights of Tauri', () =>
      rows(projects)(async (_name, files, answers) => {
        const config = writeProject({
          'tauri.conf.json': {},
          'capabilities/main.json': { identifier: 'main', windows: ['main', 'trusted'], permissions: ['allow-greet'] },
          ...files,
        })
        const bus = await start({
          core,
          config,
          ...(use === 'isolation' && { isolation: {} }),
          frontends: { main: module, trusted: { module, sandbox: 'none' } },
        })
        for (const label of ['main', 'trusted']) {
          const calls = ['greet', 'add', READ, 'plugin:path|join'].map(command => invoke(bus, label, command))
          expect(await Promise.all(calls)).toEqual(answers)
        }
      }))
  })
})
