// Plugins that the host adds and removes while frontends run, and what `bus.describe` says of commands.
import { describe, expect, test } from 'vitest'
import { z } from 'zod'
import { type Bus, command, defineCore } from '../../src/index.js'
import { fixture, isolation, start } from '../support/start.js'
import { choose } from '../../../../scripts/testing.js'

const READ = 'plugin:notes|read_note'
const DENIED = { reason: 'Denied' }
const reader = { identifier: 'reader', windows: ['main'], permissions: ['notes:allow-read-note'] }

const read = command(
  { description: 'Reads a note', args: z.object({ name: z.string() }), result: z.object({ text: z.string() }) },
  ({ name }) => ({ text: `The note ${name}` }),
)
const notes = { name: 'notes', commands: { read_note: read, fail_now: () => Promise.reject(new Error('no')) } }

const startCore = (use: 'brownfield' | 'isolation'): Promise<Bus> =>
  start({
    core: fixture('permissions/scoped.mjs'),
    ...(use === 'isolation' && isolation('judge', {}, { ...reader, permissions: ['allow-greet'] })),
  })

describe.each(choose(['brownfield', 'isolation'] as const))('a plugin added at run time, %s', use => {
  test('serves those whom a capability allows, until it is removed', async () => {
    const bus = await startCore(use)
    const main = await bus.connect('main')
    await bus.addPlugin(notes)
    await expect(main.invoke(READ, { name: 'a' })).rejects.toMatchObject(DENIED)
    await bus.addCapability({ ...reader, identifier: 'notes-reader' })
    expect(await main.invoke(READ, { name: 'a' })).toEqual({ text: 'The note a' })
    await bus.removePlugin('notes')
    await expect(main.invoke(READ, { name: 'a' })).rejects.toMatchObject({ reason: 'MethodNotFound' })
  })

  test('checks arguments against its schema', async () => {
    const bus = await startCore(use)
    await bus.addPlugin(notes)
    await bus.addCapability({ ...reader, identifier: 'notes-reader' })
    const main = await bus.connect('main')
    await expect(main.invoke(READ, { name: 1 })).rejects.toMatchObject({ reason: 'InvalidParams' })
  })

  test('remains when core restarts, with the rights that capabilities gave', async () => {
    const bus = await startCore(use)
    await bus.addPlugin(notes)
    await bus.addCapability({ ...reader, identifier: 'notes-reader' })
    await bus.reload('core')
    const main = await bus.connect('main')
    expect(await main.invoke(READ, { name: 'b' })).toEqual({ text: 'The note b' })
  })
})

test('allow of a frontend names the commands and permissions of an added plugin', async () => {
  const bus = await start()
  await bus.addPlugin({
    ...notes,
    permissions: [{ default: { permissions: ['allow-read-note'] } }],
  })
  const clients = [
    await bus.connect('one', { allow: [READ] }),
    await bus.connect('two', { allow: ['notes:allow-read-note'] }),
    await bus.connect('three', { allow: ['notes:default'] }),
  ]
  for (const client of clients) {
    expect(await client.invoke(READ, { name: 'c' })).toEqual({ text: 'The note c' })
    await expect(client.invoke('plugin:notes|fail_now')).rejects.toMatchObject(DENIED)
  }
})

test('a plugin that returns gets back the rights that capabilities give, for its new commands too', async () => {
  const bus = await start()
  const permissions = (...names: string[]) => [{ default: { permissions: names } }]
  await bus.addPlugin({ ...notes, permissions: permissions('allow-read-note') })
  await bus.addCapability({ ...reader, permissions: ['notes:default'] })
  await bus.removePlugin('notes')
  const commands = { ...notes.commands, second: () => 2 }
  await bus.addPlugin({ ...notes, commands, permissions: permissions('allow-read-note', 'allow-second') })
  const main = await bus.connect('main')
  expect(await main.invoke('plugin:notes|second')).toBe(2)
})

test('a plugin that returns without one of its commands loses no right and no denial of the others', async () => {
  const bus = await start()
  const commands = { read: () => 'read', write: () => 'written' }
  await bus.addPlugin({ name: 'files', commands: { ...commands, erase: () => 'erased' } })
  await bus.addCapability({ ...reader, permissions: ['files:allow-read', 'files:deny-write', 'files:deny-erase'] })
  await bus.removePlugin('files')
  await bus.addPlugin({ name: 'files', commands })
  const main = await bus.connect('main', { allow: ['files:allow-write'] })
  expect(await main.invoke('plugin:files|read')).toBe('read')
  await expect(main.invoke('plugin:files|write')).rejects.toMatchObject(DENIED)
})

test('streams, bytes, cancellation and middleware work as for other commands', async () => {
  const seen: string[] = []
  const core = defineCore({
    commands: {},
    use: [
      (call, run) => {
        seen.push(call.command)
        return run()
      },
    ],
  })
  const bus = await start({ core })
  let aborted: (() => void) | undefined
  const hasAborted = new Promise<void>(resolve => (aborted = resolve))
  await bus.addPlugin({
    name: 'more',
    commands: {
      count: async function* ({ to }: { to: number }) {
        for (let i = 1; i <= to; i++) yield i
      },
      size: (bytes: Uint8Array) => bytes.length,
      wait: (_: object, { signal }: { signal: AbortSignal }) =>
        new Promise(() => signal.addEventListener('abort', () => aborted?.())),
    },
  })
  const main = await bus.connect('main', { allow: ['plugin:more|count', 'plugin:more|size', 'plugin:more|wait'] })
  const values: unknown[] = []
  for await (const value of main.stream('plugin:more|count', { to: 3 })) values.push(value)
  expect(values).toEqual([1, 2, 3])
  expect(await main.invoke('plugin:more|size', new Uint8Array(5))).toBe(5)
  const controller = new AbortController()
  const waiting = main.invoke('plugin:more|wait', {}, { signal: controller.signal })
  await expect.poll(() => seen).toContain('plugin:more|wait')
  controller.abort()
  await expect(waiting).rejects.toMatchObject({ reason: 'Cancelled' })
  await hasAborted
  expect(seen).toEqual(['plugin:more|count', 'plugin:more|size', 'plugin:more|wait'])
})

test('quotas count calls of an added plugin, also for sessions that were open before', async () => {
  const bus = await start({ calls: { quotas: [{ commands: ['plugin:notes|*'], calls: 1 }] } })
  const main = await bus.connect('main')
  await bus.addPlugin(notes)
  await bus.addCapability(reader)
  await main.invoke(READ, { name: 'a' })
  await expect(main.invoke(READ, { name: 'a' })).rejects.toMatchObject({ reason: 'Overloaded' })
})

test('a mistake adds nothing', async () => {
  const bus = await start()
  const refuse = async (plugin: unknown, text: string): Promise<void> => {
    await expect(bus.addPlugin(plugin as typeof notes)).rejects.toThrow(text)
  }
  await refuse({ name: 'x', commands: { run: 1 } }, '"plugin:x|run" must be a function, or made with command()')
  await refuse({ name: 'x', commands: {}, setup() {} }, 'unknown option "setup": use name, commands')
  await refuse({ name: 'X', commands: {} }, "A plugin's name must consist of")
  await refuse({ name: 'event', commands: {} }, 'plugin uses reserved name: event')
  await refuse({ name: 'x', commands: { run: () => 1 }, permissions: [{ default: {} }] }, 'permissions')
  await bus.addPlugin({ name: 'x', commands: { run: () => 1 } })
  await refuse({ name: 'x', commands: { run: () => 2 } }, 'exposed already')
  await refuse({ name: 'x', commands: { other: () => 2 } }, 'There are two plugins named x')
  await expect(bus.removePlugin('y')).rejects.toThrow('no plugin "y" was added')
})

test('its teardown runs once, when it is removed or the bus closes', async () => {
  const bus = await start()
  const ended: string[] = []
  for (const name of ['one', 'two']) {
    await bus.addPlugin({ name, commands: {}, teardown: () => void ended.push(name) })
  }
  await bus.removePlugin('one')
  expect(ended).toEqual(['one'])
  await bus.close()
  expect(ended).toEqual(['one', 'two'])
})

test('rightsChanged is emitted for capabilities, plugins and a restart of core', async () => {
  const bus = await start()
  const changes: unknown[] = []
  bus.on('rightsChanged', change => void changes.push(change))
  await bus.addPlugin(notes)
  await bus.addCapability(reader)
  await bus.removeCapability('reader')
  await bus.removePlugin('notes')
  await bus.reload('core')
  expect(changes).toEqual([
    { cause: 'plugin', name: 'notes' },
    { cause: 'capability', name: 'reader' },
    { cause: 'capability', name: 'reader' },
    { cause: 'plugin', name: 'notes' },
    { cause: 'core', name: 'core' },
  ])
})

describe('bus.describe', () => {
  test('lists what a label may call, with description and JSON Schemas', async () => {
    const bus = await start({ core: defineCore({ commands: { greet: () => 'Hello!', read } }) })
    await bus.addCapability({ identifier: 'a', windows: ['agent'], permissions: ['allow-read'] })
    expect(await bus.describe('agent')).toEqual([
      {
        command: 'read',
        permission: 'allow-read',
        description: 'Reads a note',
        args: expect.objectContaining({ type: 'object', properties: { name: { type: 'string' } }, required: ['name'] }),
        result: expect.objectContaining({ type: 'object', required: ['text'] }),
      },
    ])
    expect(await bus.describe('other')).toEqual([])
  })

  test('lists the commands of added plugins, and those without a schema by name', async () => {
    const bus = await start({ core: defineCore({ commands: {} }) })
    await bus.addPlugin(notes)
    await bus.addCapability({ ...reader, permissions: ['notes:allow-read-note', 'notes:allow-fail-now'] })
    const described = await bus.describe('main')
    expect(described.map(({ command, description }) => [command, description])).toEqual([
      ['plugin:notes|fail_now', undefined],
      [READ, 'Reads a note'],
    ])
  })

  test('leaves out a schema that its library cannot convert', async () => {
    const input = (): never => {
      throw new Error('it has no JSON Schema')
    }
    const validate = (value: unknown) => ({ value })
    const jsonSchema = { input, output: input }
    const args = { '~standard': { version: 1 as const, vendor: 'test', validate, jsonSchema } }
    const bus = await start({ core: defineCore({ commands: { when: command({ args }, () => 1) } }) })
    await bus.addCapability({ identifier: 'a', windows: ['main'], permissions: ['allow-when'] })
    expect((await bus.describe('main'))[0]?.args).toBeUndefined()
  })
})
