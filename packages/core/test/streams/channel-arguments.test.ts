// A channel among the arguments is declared by its message. A string with the text of a channel stays a string, and core gets what
// the hook saw.
import { describe, expect, test } from 'vitest'
import { defineCore } from '../../src/index.js'
import { isolation, start } from '../support/start.js'

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

describe.each([
  ['brownfield', 'json', {}],
  ['brownfield', 'msgpack', {}],
  ['isolation', 'json', isolated],
  ['isolation', 'msgpack', isolated],
] as const)('%s, in %s', (_name, codec, app) => {
  const connect = async () => (await start({ core, app })).connect('tests', { codec })

  test('a channel arrives as a channel, and a string as a string', async () => {
    const client = await connect()
    const channel = new client.Channel()
    const [text, reference] = ['__CHANNEL__:7', channel.toJSON()]
    expect(await client.invoke('kinds', { channel, text, reference, deep: { channel } })).toEqual({
      channel: { channel: channel.id },
      text,
      reference,
      deep: { channel: reference },
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

describe.each(['json', 'msgpack'] as const)('a channel in the hook, in %s', codec => {
  const call = async (hook: string) => {
    const client = await (await start({ core, app: isolated })).connect('tests', { codec })
    const channel = new client.Channel()
    const args = { hook, channel, text: '__CHANNEL__:7' }
    const result: Args = await client.invoke('kinds', args)
    return { result, args, arrived: { channel: channel.id }, reference: channel.toJSON() }
  }

  test('is shown as in Tauri', async () => {
    const { result, args, arrived, reference } = await call('show')
    expect(result).toEqual({ ...args, channel: arrived, shown: { ...args, channel: reference } })
  })

  test('can be moved', async () => {
    const { result, arrived } = await call('move')
    expect(result).toEqual({ text: '__CHANNEL__:7', moved: arrived })
  })

  test('can be replaced by a string', async () => {
    const { result } = await call('change')
    expect(result).toEqual({ text: '__CHANNEL__:7', channel: '__CHANNEL__:7' })
  })

  test('cannot be made of a string', async () => {
    const { result, args, arrived } = await call('create')
    expect(result).toEqual({ ...args, channel: arrived, created: '__CHANNEL__:7' })
  })

  test('stays a channel when the hook adds bytes', async () => {
    const { result, args, arrived } = await call('add-bytes')
    expect(result).toMatchObject({ ...args, channel: arrived })
  })
})
