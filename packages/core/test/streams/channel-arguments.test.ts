// A channel among the arguments is declared by its message. A string with the text of a channel stays a string, and core gets what
// the hook saw.
import { Channel } from '@sallyport/frontend'
import { describe, expect, test } from 'vitest'
import { type Channel as Sender, type CommandContext, defineCore } from '../../src/index.js'
import { isolation, start } from '../support/start.js'
import { choose, rows } from '../../../../scripts/testing.js'

type Args = Record<string, unknown>

const core = defineCore({
  commands: {
    /** Returns the kind of each argument, and ends the channels. */
    kinds: (args: Args) =>
      Object.fromEntries(
        Object.entries(args).map(([name, value]) => {
          const channel = value as { id?: unknown; end?(): void } | null
          if (typeof channel?.end !== 'function') return [name, value]
          channel.end()
          return [name, { channel: channel.id }]
        }),
      ),
  },
})
const kinds = { identifier: 'kinds', windows: ['*'], permissions: ['allow-kinds'] }
const isolated = isolation('values', {}, kinds)
const codecs = choose(['msgpack', 'json'] as const)

const ways = [
  ['brownfield', 'json', {}],
  ['brownfield', 'msgpack', {}],
  ['isolation', 'msgpack', isolated],
  ['isolation', 'json', isolated],
] as const

describe.each(choose(ways))('%s, in %s', (_name, codec, app) => {
  const connect = async () => (await start({ core, ...app, codec })).connect('tests')

  test('a channel arrives as a channel, and a string as a string', async () => {
    const client = await connect()
    const channel = new client.Channel()
    const [text, reference] = ['__CHANNEL__:7000', channel.toJSON()]
    expect(await client.invoke('kinds', { channel, text, reference })).toEqual({
      channel: { channel: channel.id },
      text,
      reference,
    })
    expect(await client.invoke('kinds', { text, reference })).toEqual({ text, reference })
  })

  test('one channel can be two arguments', async () => {
    const client = await connect()
    const channel = new client.Channel()
    const arrived = { channel: channel.id }
    expect(await client.invoke('kinds', { a: channel, b: channel })).toEqual({ a: arrived, b: arrived })
  })
})

describe.each(codecs)('a channel in the hook, in %s', codec => {
  const call = async (hook: string) => {
    const client = await (await start({ core, ...isolated, codec })).connect('tests')
    const channel = new client.Channel()
    const args = { hook, channel, text: '__CHANNEL__:7000' }
    const result: Args = await client.invoke('kinds', args)
    return { result, args, arrived: { channel: channel.id }, reference: channel.toJSON() }
  }

  test('is shown as in Tauri', async () => {
    const { result, args, arrived, reference } = await call('show')
    expect(result).toEqual({ ...args, channel: arrived, shown: { ...args, channel: reference } })
  })

  test('can be moved', async () => {
    const { result, arrived } = await call('move')
    expect(result).toEqual({ text: '__CHANNEL__:7000', moved: arrived })
  })

  test('can be replaced by a string', async () => {
    const { result } = await call('change')
    expect(result).toEqual({ text: '__CHANNEL__:7000', channel: '__CHANNEL__:7000' })
  })

  test('cannot be made of a string', async () => {
    const { result, args, arrived } = await call('create')
    expect(result).toEqual({ ...args, channel: arrived, created: '__CHANNEL__:7000' })
  })

  test('stays a channel when the hook adds bytes', async () => {
    const { result, args, arrived } = await call('add-bytes')
    expect(result).toMatchObject({ ...args, channel: arrived })
  })
})

const refusal = (path: string) => `${path} is a Channel: pass it as an argument of its own, at the top level of a call`

describe('a channel below the top level is refused by its sender', () => {
  const nested = (channel: unknown) => ({ deep: [{ channel }] })

  test.each(codecs)('by the host and its clients, in %s', async codec => {
    const bus = await start({ core, codec })
    await bus.open('main', { source: "import { expose } from '@sallyport/frontend'\nexpose({ take: args => args })" })
    const client = await bus.connect('tests')
    const channel = new client.Channel()
    const message = expect.stringContaining(refusal('deep[0].channel')) as string
    const refused = { reason: 'InvalidParams', message }
    await expect(client.invoke('kinds', nested(channel))).rejects.toMatchObject(refused)
    const bytes = new Uint8Array(8)
    await expect(client.invoke('kinds', { ...nested(channel), bytes })).rejects.toMatchObject(refused)
    await expect(bus.call('main', 'take', nested(channel))).rejects.toMatchObject(refused)
    await expect(collect(bus.stream('main', 'take', nested(channel)))).rejects.toMatchObject(refused)
    await expect(async () => bus.emit('news', nested(channel))).rejects.toThrow(/deep\[0\].channel is a Channel/)
    expect(JSON.stringify(nested(channel)), 'elsewhere it is JSON').toBe(JSON.stringify(nested(channel.toJSON())))
    const mixed = await client.invoke<Args>('kinds', { channel })
    expect(mixed, 'the channel is usable').toEqual({ channel: { channel: channel.id } })
  })

  test.each(codecs)('by core, in %s', async codec => {
    const tries = {
      call: (_args: Args, { app }: CommandContext) => app.call('main', 'take', nested(new Channel())),
      emit: (_args: Args, { app }: CommandContext) => app.emit('news', nested(new Channel())),
      answer: () => nested(new Channel()),
      send: async ({ channel }: { channel: Sender }) => channel.send(nested(new Channel())),
      answer_own: ({ channel }: { channel: Sender }) => nested(channel),
      emit_own: ({ channel }: { channel: Sender }, { app }: CommandContext) => app.emit('news', nested(channel)),
    }
    const bus = await start({ core: defineCore({ commands: tries }), codec })
    await bus.open('main', { source: "import { expose } from '@sallyport/frontend'\nexpose({ take: args => args })" })
    const client = await bus.connect('tests')
    await client.listen('news', () => {})
    for (const name of Object.keys(tries)) {
      const call = client.invoke(name, { channel: new client.Channel() })
      await expect(call, name).rejects.toThrow(/deep\[0\]\.channel is a Channel/)
    }
  })

  test('by frontends, and by scripts', async () => {
    const source = `import { Channel, expose, invoke } from '@sallyport/frontend'
      const deep = [{ channel: new Channel() }]
      expose({
        invoke: () => invoke('kinds', { deep }).then(() => 'sent', error => [error.reason, error.message]),
        answer: () => ({ deep }),
        async *stream() { yield { deep } },
      })`
    const message = expect.stringContaining(refusal('deep[0].channel')) as string
    await rows(choose(['permission', 'process', 'quickjs'] as const, -2, -1))(async sandbox => {
      const bus = await start({ core })
      await bus.open('main', { source }, { sandbox, allow: ['kinds'] })
      expect(await bus.call('main', 'invoke')).toEqual(['InvalidParams', message])
      await expect(bus.call('main', 'answer')).rejects.toThrow(/deep\[0\]\.channel is a Channel/)
      await expect(collect(bus.stream('main', 'stream'))).rejects.toThrow(/deep\[0\]\.channel is a Channel/)
    })
  })
})

async function collect(stream: AsyncIterable<unknown>): Promise<unknown[]> {
  const values = []
  for await (const value of stream) values.push(value)
  return values
}
