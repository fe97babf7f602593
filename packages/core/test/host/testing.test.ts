// The test kit, as the tests of a user import it.
import { describe, expect, test } from 'vitest'
import { createTestBus, type TestBus, type TestBusOptions } from '@sallyport/core/testing'
import { Channel } from '@sallyport/frontend/internal'
import { CommandError, command, defineCore, isCommandError, plugin } from '../../src/index.js'
import { fixture } from '../support/start.js'
import { rows } from '../../../../scripts/testing.js'

async function using(options: TestBusOptions, run: (made: TestBus) => Promise<void>): Promise<void> {
  const made = await createTestBus(options)
  try {
    await run(made)
  } finally {
    await made[Symbol.asyncDispose]()
  }
}

describe('createTestBus', () => {
  test('rejects what is no core', () =>
    rows([null, 5, { commands: null }, { commands: 'greet' }])(async options => {
      await expect(createTestBus(options as never)).rejects.toMatchObject({ reason: 'InvalidParams' })
    }))

  test('replaces commands by fixed results, functions and errors, and records calls', () =>
    using(
      {
        commands: {
          greet: 'Hello!',
          nothing: undefined,
          settings: { theme: 'dark' },
          add: ({ a, b }: { a: number; b: number }) => a + b,
          read: new CommandError('NOT_FOUND', 'no such note'),
          strict: command({}, (args, ctx) => `${ctx.label} ${JSON.stringify(args)}`),
          'plugin:fs|read_text_file': async () => 'text',
        },
      },
      async ({ client, calls }) => {
        expect(await client.invoke('greet', { name: 'World' })).toBe('Hello!')
        expect(await client.invoke('nothing')).toBe(null)
        expect(await client.invoke('settings')).toEqual({ theme: 'dark' })
        expect(await client.invoke('add', { a: 1, b: 2 })).toBe(3)
        const error = await client.invoke('read', { id: 7 }).catch((thrown: unknown) => thrown)
        expect(isCommandError(error, 'NOT_FOUND')).toBe(true)
        expect(await client.invoke('strict', { n: 1 })).toBe('main {"n":1}')
        expect(await client.invoke('plugin:fs|read_text_file', { path: '/x' })).toBe('text')
        expect(calls().map(call => [call.label, call.command, call.args, call.status])).toEqual([
          ['main', 'greet', { name: 'World' }, 'succeeded'],
          ['main', 'nothing', {}, 'succeeded'],
          ['main', 'settings', {}, 'succeeded'],
          ['main', 'add', { a: 1, b: 2 }, 'succeeded'],
          ['main', 'read', { id: 7 }, 'failed'],
          ['main', 'strict', { n: 1 }, 'succeeded'],
          ['main', 'plugin:fs|read_text_file', { path: '/x' }, 'succeeded'],
        ])
        expect(calls('add')).toMatchObject([{ result: 3 }])
        expect(calls('read')[0]?.error).toMatchObject({ commandCode: 'NOT_FOUND' })
        expect(calls('nope')).toEqual([])
      },
    ))

  test('replaces some commands of a real core', async () => {
    let began = 0
    const core = defineCore({
      commands: { real: () => 'real', sends_mail: () => 'sent' },
      plugins: [plugin('notes', { commands: { read: () => 'note', wipe: () => 'gone' } })],
      use: [({ command: name }, next) => (name === 'real' ? next().then(result => `${String(result)}!`) : next())],
      setup: () => void began++,
    })
    const commands = { sends_mail: 'not sent', 'plugin:notes|wipe': 'kept' }
    await using({ core, commands, label: 'tests' }, async ({ client, calls, bus }) => {
      expect([await client.invoke('real'), await client.invoke('sends_mail')]).toEqual(['real!', 'not sent'])
      expect(await client.invoke('plugin:notes|read')).toBe('note')
      expect(await (await bus.connect('other')).invoke('plugin:notes|wipe')).toBe('kept')
      expect(calls().map(({ label }) => label)).toEqual(['tests', 'tests', 'tests', 'other'])
      expect(calls('real')).toMatchObject([{ result: 'real!' }])
      expect(began).toBe(1)
    })
  })

  test('records running calls, streams, channels and bytes', () =>
    using(
      {
        commands: {
          never: () => new Promise(() => {}),
          async *count() {
            yield 1
          },
          send: ({ channel }: { channel: { send(n: number): void; end(): void } }) => channel.end(),
          size: (args: unknown) => (args as Uint8Array).byteLength,
          mutate: (args: { list: number[] }) => args.list.push(9),
        },
      },
      async ({ client, calls }) => {
        client.invoke('never', {}, { timeout: 60_000 }).catch(() => {})
        for await (const value of client.stream('count')) expect(value).toBe(1)
        await client.invoke('send', { n: [1], channel: new Channel() })
        expect(await client.invoke('size', new Uint8Array(3))).toBe(3)
        await client.invoke('mutate', { list: [1] })
        expect(calls('never')).toMatchObject([{ status: 'running' }])
        expect(calls('count')).toStrictEqual([{ label: 'main', command: 'count', args: {}, status: 'succeeded' }])
        expect(calls('send')).toMatchObject([{ args: { n: [1] } }])
        expect(calls('size')).toMatchObject([{ args: new Uint8Array(3) }])
        expect(calls('mutate')).toMatchObject([{ args: { list: [1] }, result: 2 }])
      },
    ))

  test('applies capabilities and a hook, and does not record rejected calls', () =>
    using(
      {
        commands: { echo: (args: unknown) => args, wipe: 'gone' },
        capabilities: [{ identifier: 'main', windows: ['main'], permissions: ['allow-echo'] }],
        isolation: { dir: fixture('isolation/hooks/judge/') },
      },
      async ({ client, calls, bus }) => {
        expect(await client.invoke('echo', { a: 1 })).toEqual({ a: 1 })
        await expect(client.invoke('wipe')).rejects.toMatchObject({ reason: 'Denied' })
        await expect(client.invoke('echo', { hook: 'null' })).rejects.toMatchObject({ reason: 'Rejected' })
        const other = await bus.connect('other', { allow: [] })
        await expect(other.invoke('echo')).rejects.toMatchObject({ reason: 'Denied' })
        expect(calls().map(({ command: name }) => name)).toEqual(['echo'])
      },
    ))

  test('fakes commands of windows and images', () =>
    using(
      { commands: { 'plugin:window|is_maximized': true, 'plugin:image|rgba': new Uint8Array(4) } },
      async ({ client, calls }) => {
        expect(await client.invoke('plugin:window|is_maximized', { label: 'main' })).toBe(true)
        expect(await client.invoke('plugin:image|rgba', { rid: 1 })).toEqual(new Uint8Array(4))
        expect(await client.invoke('plugin:window|get_all_windows')).toEqual(['main'])
        expect(calls('plugin:window|is_maximized')).toMatchObject([{ args: { label: 'main' } }])
      },
    ))

  test('rejects mistakes, and leaves nothing running', async () => {
    await expect(createTestBus({ commands: { late: Promise.resolve(1) } })).rejects.toThrow(/a fake is a promise/)
    await expect(createTestBus({ label: 'core' })).rejects.toMatchObject({ reason: 'InvalidParams' })
    await expect(createTestBus({ commands: { 'plugin:path|join': 'x' } })).rejects.toThrow(/reserved name: path/)
    const wrong: [object, string][] = [
      [{ typo: 1 }, 'createTestBus: unknown option "typo"'],
      [{ comands: {} }, 'createTestBus: unknown option "comands" (did you mean "commands"?)'],
      [{ calls: { timout: 1 } }, 'createTestBus: unknown option "calls.timout" (did you mean "timeout"?)'],
      [{ connection: { alow: [] } }, 'createTestBus: connection: unknown option "alow" (did you mean "allow"?)'],
      [{ label: 5 }, 'createTestBus: its label must be a string: got 5'],
    ]
    for (const [options, message] of wrong) {
      await expect(createTestBus(options)).rejects.toMatchObject({ reason: 'InvalidParams', message })
    }
  })
})
