import { LocalLink } from '@sallyport/protocol/internal/link'
import { expect, test, vi } from 'vitest'
import { Client } from '../client/client.js'
import { Channel } from '../client/channel.js'
import { Callbacks, ChannelBridges } from './channels.js'
import { SERIALIZE_TO_IPC_FN } from './convert.js'

test('the ids of callbacks have 32 bits, and are above those of channels of the client', () => {
  const callbacks = new Callbacks()
  const ids = Array.from({ length: 1000 }, () => callbacks.add())
  expect(new Set(ids).size).toBe(1000)
  expect(ids.every(id => Number.isInteger(id) && id >= 2 ** 31 && id < 2 ** 32)).toBe(true)
})

test('the id of a callback is not used again', () => {
  const callbacks = new Callbacks()
  const random = vi.spyOn(crypto, 'getRandomValues')
  const answers = [5, 5, 6]
  random.mockImplementation(array => {
    ;(array as unknown as Uint32Array)[0] = answers.shift()!
    return array
  })
  try {
    expect([callbacks.add(), callbacks.add()]).toEqual([2 ** 31 + 5, 2 ** 31 + 6])
  } finally {
    random.mockRestore()
  }
})

test('a callback that runs once is removed before it runs', () => {
  const callbacks = new Callbacks()
  const isRegistered: boolean[] = []
  const id = callbacks.add(() => isRegistered.push(callbacks.byId.has(id)), true)
  callbacks.run(id, 1)
  expect(isRegistered).toEqual([false])
})

test('a callback does not need a function', () => {
  const callbacks = new Callbacks()
  expect(() => callbacks.run(callbacks.add(undefined), 1)).not.toThrow()
})

const nextTick = (): Promise<void> => new Promise(resolve => setImmediate(resolve))

function setUp() {
  const [link] = LocalLink.createPair()
  const callbacks = new Callbacks()
  const emitted: unknown[] = []
  const id = callbacks.add(data => emitted.push(data))
  const bridges = new ChannelBridges(new Client(link, { label: 'main' }), callbacks)
  const channel = { toJSON: () => `__CHANNEL__:${id}` }
  const pass = (args: unknown = { channel }) => bridges.bind(args).bridges[0]!
  return { id, emitted, bridges, callbacks, channel, pass }
}

test('arguments without a channel are passed unchanged', () => {
  const { bridges } = setUp()
  const args = { text: '__CHANNEL__:1', other: '__CHANNEL__:x', deep: { channel: '__CHANNEL__:1' } }
  expect(bridges.bind(args)).toEqual({ args, bridges: [] })
  expect(bridges.bind(args).args).toBe(args)
  const bytes = new Uint8Array(2)
  for (const value of [undefined, null, 'text', bytes]) expect(bridges.bind(value).args).toBe(value)
})

test('a channel is one wherever a named argument has it, and is refused with its path below', () => {
  const { id, channel, bridges, pass } = setUp()
  const args = { channel }
  const ways = [args, new Map([['channel', channel]]), { toJSON: () => args }, { [SERIALIZE_TO_IPC_FN]: () => args }]
  for (const each of ways) expect(pass(each).channel.id).toBe(id)
  const serialized = { [SERIALIZE_TO_IPC_FN]: () => `__CHANNEL__:${id}` }
  expect(pass({ channel: serialized }).channel.id).toBe(id)

  const refused: [unknown, string][] = [
    [{ options: { onEvent: channel } }, 'options.onEvent'],
    [{ text: '__CHANNEL__:1', first: channel, channels: [channel, channel] }, 'channels[0]'],
    [{ map: new Map([['list', [1, { channel }]]]) }, 'map.list[1].channel'],
    [{ options: { toJSON: () => ({ serialized }) } }, 'options.serialized'],
    [
      {
        options: new (class {
          onEvent = channel
        })(),
      },
      'options.onEvent',
    ],
    [{ options: { own: new Channel() } }, 'options.own'],
    [channel, 'it'],
  ]
  for (const [each, path] of refused) {
    expect(() => bridges.bind(each)).toThrow(new TypeError(`${path} is a Channel: pass it as an argument of its own`))
  }
})

const receive = (
  channel: Channel,
  message: { index: number; message: unknown } | { index: number; messages: unknown[] },
): void => Channel.getReceiver(channel).receive({ channel: channel.id, ...message })

test('a bridged channel has the id of its callback', () => {
  const { id, pass } = setUp()
  const { channel } = pass()
  expect(channel.id).toBe(id)
  expect(pass().channel).toBe(channel)
})

test('the end of a channel is emitted when its call has settled', () => {
  const { emitted, pass } = setUp()
  const { channel, leave } = pass()
  receive(channel, { index: 0, message: undefined })
  channel.finish()
  expect(emitted).toEqual([{ message: null, index: 0, id: 0 }])
  leave(false)
  expect(emitted).toEqual([
    { message: null, index: 0, id: 0 },
    { end: true, index: 1, id: -1 },
  ])
})

test('a channel can end after its call has settled', () => {
  const { emitted, pass } = setUp()
  const { channel, leave } = pass()
  leave(false)
  expect(emitted).toEqual([])
  channel.finish()
  expect(emitted).toEqual([{ end: true, index: 0, id: -1 }])
})

test('the channel of a failed call can be passed to the next call immediately', async () => {
  const { emitted, pass } = setUp()
  const first = pass()
  first.leave(true)
  const second = pass()
  expect(second.channel).not.toBe(first.channel)
  expect(second.channel.id).toBe(first.channel.id)
  await nextTick()
  expect(emitted).toEqual([])
  second.leave(true)
  await nextTick()
  expect(emitted).toEqual([{ end: true, index: 0, id: -1 }])
})

test('a later call that fails does not end the channel of an earlier call', async () => {
  const { emitted, pass } = setUp()
  const [first, second] = [pass(), pass()]
  first.leave(false)
  second.leave(true)
  await nextTick()
  expect(emitted).toEqual([])
})

test('a closed bridge emits nothing', async () => {
  const { id, emitted, bridges, pass } = setUp()
  const { channel, leave } = pass()
  bridges.close(id)
  bridges.close(id)
  receive(channel, { index: 0, message: 1 })
  leave(true)
  await nextTick()
  expect(emitted).toEqual([])
})

test('a message for a removed callback causes a warning and closes the channel', () => {
  const { id, callbacks, pass } = setUp()
  const { channel } = pass()
  callbacks.remove(id)
  const warn = vi.spyOn(console, 'warn').mockImplementation(() => {})
  receive(channel, { index: 0, messages: [1, 2] })
  expect(warn.mock.calls).toEqual([[expect.stringContaining(`Couldn't find callback id ${id}.`)]])
  warn.mockRestore()
})
