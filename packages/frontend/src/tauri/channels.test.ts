import { expect, test, vi } from 'vitest'
import { createMemoryLinkPair } from '../../../protocol/test/memory-link.js'
import { Client } from '../client/client.js'
import { Callbacks, ChannelBridges } from './channels.js'

test('ids are of 32 bits, and above those of the client’s own channels', () => {
  const callbacks = new Callbacks()
  const ids = Array.from({ length: 1000 }, () => callbacks.add())
  expect(new Set(ids).size).toBe(1000)
  expect(ids.every(id => Number.isInteger(id) && id >= 2 ** 31 && id < 2 ** 32)).toBe(true)
})

test('an id that is taken is not given again', () => {
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

test('one that is called once is gone before it is called', () => {
  const callbacks = new Callbacks()
  const there: boolean[] = []
  const id = callbacks.add(() => there.push(callbacks.byId.has(id)), true)
  callbacks.run(id, 1)
  expect(there).toEqual([false])
})

test('without a function', () => {
  const callbacks = new Callbacks()
  expect(() => callbacks.run(callbacks.add(undefined), 1)).not.toThrow()
})

const nextTurn = (): Promise<void> => new Promise(resolve => setImmediate(resolve))

function setUp() {
  const [link] = createMemoryLinkPair()
  const callbacks = new Callbacks()
  const told: unknown[] = []
  const id = callbacks.add(data => told.push(data))
  const bridges = new ChannelBridges(new Client(link, { label: 'main' }), callbacks)
  const pass = () => bridges.bind({ channel: `__CHANNEL__:${id}` }).bridges[0]!
  return { id, told, bridges, callbacks, pass }
}

test('arguments without a channel are passed on as they are', () => {
  const { bridges } = setUp()
  const args = { text: '__CHANNEL__', other: '__CHANNEL__:x', deep: { channel: '__CHANNEL__:1' } }
  expect(bridges.bind(args)).toEqual({ args, bridges: [] })
  expect(bridges.bind(args).args).toBe(args)
  const bytes = new Uint8Array(2)
  for (const given of [undefined, null, 'text', bytes]) expect(bridges.bind(given).args).toBe(given)
})

test('the channel has the callback’s id', () => {
  const { id, pass } = setUp()
  const { channel } = pass()
  expect(channel.id).toBe(id)
  expect(pass().channel).toBe(channel)
})

test('an end that came before the call was over is told when it is', () => {
  const { told, pass } = setUp()
  const { channel, leave } = pass()
  channel.receive({ channel: channel.id, index: 0, message: undefined })
  channel.finish()
  expect(told).toEqual([{ message: null, index: 0 }])
  leave(false)
  expect(told).toEqual([
    { message: null, index: 0 },
    { end: true, index: 1 },
  ])
})

test('a channel that outlives its call ends later', () => {
  const { told, pass } = setUp()
  const { channel, leave } = pass()
  leave(false)
  expect(told).toEqual([])
  channel.finish()
  expect(told).toEqual([{ end: true, index: 0 }])
})

test('the channel of a call that failed may be passed to the next at once', async () => {
  const { told, pass } = setUp()
  const first = pass()
  first.leave(true)
  const second = pass()
  expect(second.channel).not.toBe(first.channel)
  expect(second.channel.id).toBe(first.channel.id)
  await nextTurn()
  expect(told).toEqual([])
  second.leave(true)
  await nextTurn()
  expect(told).toEqual([{ end: true, index: 0 }])
})

test('a later call that fails does not end the channel of the first', async () => {
  const { told, pass } = setUp()
  const [first, second] = [pass(), pass()]
  first.leave(false)
  second.leave(true)
  await nextTurn()
  expect(told).toEqual([])
})

test('closed, it tells nothing any more', async () => {
  const { id, told, bridges, pass } = setUp()
  const { channel, leave } = pass()
  bridges.close(id)
  bridges.close(id)
  channel.receive({ channel: id, index: 0, message: 1 })
  leave(true)
  await nextTurn()
  expect(told).toEqual([])
})

test('a message for a callback that is gone is warned of, and closes the channel', () => {
  const { id, callbacks, pass } = setUp()
  const { channel } = pass()
  callbacks.remove(id)
  const warn = vi.spyOn(console, 'warn').mockImplementation(() => {})
  channel.receive({ channel: id, index: 0, messages: [1, 2] })
  expect(warn.mock.calls).toEqual([[expect.stringContaining(`Couldn't find callback id ${id}.`)]])
  warn.mockRestore()
})
