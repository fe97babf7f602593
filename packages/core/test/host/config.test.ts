// A bus that is configured by the files of a Tauri project.
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { pino } from 'pino'
import { describe, expect, test } from 'vitest'
import type { Bus, Client } from '../../src/index.js'
import { granted, main, project, startIn } from '../support/notes.js'
import { writeProject } from '../support/project.js'
import { rows } from '../../../../scripts/testing.js'

/** Returns the commands that a label may call. */
async function getAllowed(bus: Bus, label: string): Promise<string[]> {
  const client: Client = await bus.connect(label)
  const commands = ['greet', 'read_note', 'delete_note', 'plugin:files|read', 'plugin:files|write']
  const answers = await Promise.allSettled(commands.map(command => client.invoke(command, { name: 'x' })))
  const refused = answers.flatMap(answer => (answer.status === 'rejected' ? [answer.reason as unknown] : []))
  for (const reason of refused) expect(reason).toMatchObject({ reason: 'Denied' })
  return commands.filter((_, index) => answers[index]?.status === 'fulfilled')
}

const mainCommands = ['greet', 'read_note', 'plugin:files|read']

describe('a Tauri project', () => {
  test('grants the permissions of its capabilities', () =>
    rows<[string, Record<string, unknown>]>([
      ['as JSON', {}],
      [
        'as JSON5, with a list of capabilities',
        {
          'tauri.conf.json': undefined,
          'tauri.conf.json5': '{ identifier: "com.example.notes", /* no more */ }',
          'capabilities/main.json': [{ ...main, permissions: granted }],
        },
      ],
      [
        'as TOML, with { capabilities }',
        {
          'tauri.conf.json': undefined,
          'Tauri.toml': 'identifier = "com.example.notes"\n',
          'capabilities/main.json': { capabilities: [{ ...main, permissions: granted }] },
        },
      ],
    ])(async (_name, files) => {
      const merged = Object.entries({ ...project, ...files }).filter(([, content]) => content !== undefined)
      const bus = await startIn(writeProject(Object.fromEntries(merged)))
      expect(await getAllowed(bus, 'main')).toEqual(mainCommands)
      expect(await getAllowed(bus, 'client-1')).toEqual(['greet'])
      expect(await getAllowed(bus, 'other')).toEqual([])
      const client = await bus.connect('main-2').then(other => other.close().then(() => bus.connect('client-2')))
      expect(await client.invoke('greet', { name: 'you' })).toBe('Hello, you')
    }))

  test('passes the scope of its permission files to handlers', async () => {
    const bus = await startIn(writeProject(project))
    const client = await bus.connect('main')
    expect(await client.invoke('read_note')).toEqual([{ path: '$DOCUMENT/notes/*' }])
  })

  test('grants only the capabilities in a list of the configuration', async () => {
    const security = { capabilities: ['clients', { identifier: 'extra', windows: ['main'], permissions: ['notes'] }] }
    const bus = await startIn(writeProject({ ...project, 'tauri.conf.json': { app: { security } } }))
    expect(await getAllowed(bus, 'main')).toEqual(['greet', 'read_note'])
    expect(await getAllowed(bus, 'client-1')).toEqual(['greet'])
  })

  test('uses the isolation app of the configuration, unless an option overrides it', async () => {
    const pattern = { use: 'isolation', options: { dir: '../dist-isolation' } }
    const hook = `window.__TAURI_ISOLATION_HOOK__ = message => {
      if (message.cmd === 'greet') message.payload.name += ', and all'
      return message
    }`
    const files = Object.entries({ ...project, 'tauri.conf.json': { app: { security: { pattern } } } })
    const directory = writeProject({
      ...Object.fromEntries(files.map(([path, content]) => [`src-tauri/${path}`, content])),
      'dist-isolation/index.html': '<!doctype html><script src="index.js"></script>',
      'dist-isolation/index.js': hook,
    })
    const bus = await startIn(join(directory, 'src-tauri'))
    const client = await bus.connect('main')
    expect(await client.invoke('greet', { name: 'World' })).toBe('Hello, World, and all')
    // Options take precedence over the configuration.
    const open = await startIn(join(directory, 'src-tauri'), { isolation: {} })
    expect(await (await open.connect('main')).invoke('greet', { name: 'World' })).toBe('Hello, World')
  })
})

describe('options in addition to a configuration', () => {
  test('select capabilities of its files, other files, or inline ones', async () => {
    const directory = writeProject({
      ...project,
      'elsewhere/one.json': { identifier: 'one', windows: ['one'], permissions: ['allow-greet'] },
      'elsewhere/deep/two.toml': 'identifier = "two"\nwindows = ["two"]\npermissions = ["files:allow-write"]\n',
      'three.json': { capabilities: [{ identifier: 'three', windows: ['three'], permissions: ['notes'] }] },
    })
    const bus = await startIn(directory, {
      capabilities: [
        'clients',
        pathToFileURL(join(directory, 'elsewhere/')),
        join(directory, 'three.json'),
        { identifier: 'four', windows: ['four'], permissions: ['allow-delete-note'] },
      ],
    })
    expect(
      await Promise.all(['main', 'client-1', 'one', 'two', 'three', 'four'].map(label => getAllowed(bus, label))),
    ).toEqual([[], ['greet'], ['greet'], ['plugin:files|write'], ['greet', 'read_note'], ['delete_note']])
  })

  test('grant nothing with an empty list', async () => {
    const bus = await startIn(writeProject(project), { capabilities: [] })
    expect(await getAllowed(bus, 'main')).toEqual([])
  })

  test('replace its permissions', async () => {
    const directory = writeProject({
      ...project,
      'more/all.json': { set: [{ identifier: 'all', permissions: ['one'] }] },
    })
    const bus = await startIn(directory, {
      capabilities: [{ identifier: 'all', windows: ['main'], permissions: ['all'] }],
      permissions: [
        { permission: [{ identifier: 'one', commands: { allow: ['delete_note'] } }] },
        pathToFileURL(join(directory, 'more')),
      ],
    })
    expect(await getAllowed(bus, 'main')).toEqual(['delete_note'])
  })

  test('ignore permissions of plugins that this core does not have', async () => {
    const directory = writeProject({
      ...project,
      'capabilities/main.json': { ...main, permissions: ['allow-greet', 'dialog:allow-open'] },
    })
    const lines: string[] = []
    const log = pino({ level: 'warn' }, { write: line => void lines.push(line) })
    const bus = await startIn(directory, { log })
    expect(await getAllowed(bus, 'main')).toEqual(['greet'])
    await expect.poll(() => lines.join('')).toMatch(/main\.json: permissions\[1\]: .*dialog/)
  })
})
