// The table of one session's channels: a refused call leaves none open, and an end concerns one channel, not its successor.
import { toStreamReference } from '@sallyport/protocol/internal/message'
import { CHANNEL_MESSAGE_COST, MAX_CHANNELS } from '@sallyport/protocol/internal/wire'
import { describe, expect, it } from 'vitest'
import type { Channel } from './channel.js'
import { ChannelTable } from './channel-table.js'
import type { ChannelWriter } from './sending-channel.js'

/** @param room the result of the link's `room` */
function setUp(room?: Promise<void>, readAhead?: number) {
  const sent: unknown[] = []
  const sender: ChannelWriter = {
    encode: (_channel, message) => JSON.stringify(message),
    put: encoded => void sent.push(encoded),
    send: message => void sent.push(message),
    room: () => room,
    isFull: false,
  }
  const table = new ChannelTable(sender, { pull: () => expect.unreachable(), stop: () => {} }, readAhead)
  const bind = (...ids: number[]): Channel[] => {
    const declared = Object.fromEntries(ids.map((id, i) => [`c${i}`, id]))
    const args: Record<string, unknown> = {}
    table.bind(args, declared)
    return Object.values(args) as Channel[]
  }
  return { table, bind, sent }
}

/** Messages of one digit to four that fit into `READ_AHEAD`. */
const WINDOW = 64
const READ_AHEAD = WINDOW * CHANNEL_MESSAGE_COST

const getMessages = (sent: readonly unknown[]): unknown[] => sent.filter(message => typeof message === 'string')
/** Bytes for which credit was asked. */
const getAsked = (sent: readonly unknown[]): number[] =>
  sent.flatMap(message => (message as { params?: { credit?: number } }).params?.credit ?? [])

describe('the window of a channel', () => {
  it('counts bytes, and asks for credit after each quarter', async () => {
    const { bind, sent } = setUp(undefined, READ_AHEAD)
    const [channel] = bind(1)
    for (let i = 0; i < WINDOW / 4; i++) await channel!.send('x'.repeat(CHANNEL_MESSAGE_COST - 2))
    expect(getAsked(sent)).toEqual([1, 2].map(() => READ_AHEAD / 4))
  })

  it('lets a message that is larger than the window pass alone', async () => {
    const { table, bind, sent } = setUp(undefined, 1)
    const [channel] = bind(1)
    await channel!.send('first')
    const second = channel!.send('second')
    expect(sent).toHaveLength(2)
    table.credit(1, getAsked(sent)[0]!)
    await second
    expect(getMessages(sent)).toEqual(['"first"', '"second"'])
  })

  it('stays closed for a frontend that returns less than it was asked for', async () => {
    const { table, bind, sent } = setUp(undefined, READ_AHEAD)
    const [channel] = bind(1)
    const sending = Array.from({ length: 1000 }, (_, i) => channel!.send(i))
    for (let i = 0; i < 10; i++) table.credit(1, 0)
    expect(getMessages(sent)).toHaveLength(WINDOW)
    table.credit(1, CHANNEL_MESSAGE_COST * 3)
    expect(getMessages(sent).length).toBeLessThanOrEqual(WINDOW + 3)
    table.abandonAll('gone')
    await Promise.allSettled(sending)
  })
})

it('false credit gains one window, once the link has room', async () => {
  let makeRoom = (): void => {}
  const { table, bind, sent } = setUp(new Promise(resolve => (makeRoom = resolve)), READ_AHEAD)
  const [channel] = bind(1)
  const sending = Array.from({ length: 1000 }, (_, i) => channel!.send(i))
  const claimFalseCredit = (): void => {
    for (let i = 0; i < 1000; i++) table.credit(1, Number.MAX_SAFE_INTEGER)
  }
  claimFalseCredit()
  await Promise.resolve()
  expect(getMessages(sent)).toHaveLength(WINDOW)
  makeRoom()
  await sending[2 * WINDOW - 1]
  expect(getMessages(sent)).toHaveLength(2 * WINDOW)
  table.close(1)
  const failed = (await Promise.allSettled(sending)).filter(({ status }) => status === 'rejected')
  expect(failed).toHaveLength(1000 - 2 * WINDOW)
})

describe('ChannelTable', () => {
  it('leaves no channel of a call open that is refused beyond the limit', () => {
    const { bind } = setUp()
    const open = Array.from({ length: MAX_CHANNELS - 1 }, (_, id) => bind(id)[0]!)
    for (let i = 0; i < 3; i++)
      expect(() => bind(50_000, 50_001)).toThrow(expect.objectContaining({ reason: 'Overloaded' }))
    open[0]!.end()
    expect(bind(50_000, 50_001)).toHaveLength(2)
    expect(() => bind(50_002)).toThrow(expect.objectContaining({ reason: 'Overloaded' }))
  })

  it('makes room for others and aborts signals when channels close or end', () => {
    const { table, bind } = setUp()
    for (let id = 0; id < MAX_CHANNELS - 1; id++) bind(id)
    let aborted = 0
    for (let id = MAX_CHANNELS; id < MAX_CHANNELS + 30; id++) {
      const [channel] = bind(id)
      channel!.signal.addEventListener('abort', () => aborted++)
      if (id % 3 === 0) channel!.end()
      else table.close(id)
    }
    expect(aborted).toBe(20)
    const failing: { held?: Channel } = {}
    const [opened] = table.bind(failing, { held: 40_000 })
    const { signal } = failing.held!
    opened!.fail()
    expect(signal).toMatchObject({ aborted: true, reason: { message: expect.stringContaining('failed') as string } })
    const [late] = bind(50_000)
    table.close(50_000)
    expect(late!.signal).toMatchObject({ aborted: true, reason: { reason: 'Disconnected' } })
  })

  it('does not end the second channel of an id when the first call ends', async () => {
    const { table, bind, sent } = setUp(undefined, READ_AHEAD)
    const opened = [...table.bind({}, { a: 5 })]
    for (const channel of opened) channel.end()
    const [second] = bind(5)
    for (const channel of opened) channel.abandon('cancelled')
    for (let i = 0; i < WINDOW; i++) await second!.send(i)
    const waiting = second!.send('one more')
    table.credit(5, CHANNEL_MESSAGE_COST)
    await waiting
    expect(getMessages(sent).at(-1)).toBe('"one more"')
  })
})

it('refuses more streams than a frontend may have open, and has room again when their call is over', () => {
  const { table } = setUp()
  const bindStreams = (count: number) => {
    const names = Array.from({ length: count }, (_, i) => `s${i}`)
    const args = Object.fromEntries(names.map((name, i) => [name, toStreamReference(i)]))
    return table.bind(args, Object.fromEntries(names.map((name, i) => [name, i])))
  }
  const opened = bindStreams(MAX_CHANNELS)
  expect(() => bindStreams(1)).toThrow(expect.objectContaining({ reason: 'Overloaded' }))
  for (const stream of opened) stream.release?.()
  expect(bindStreams(1)).toHaveLength(1)
})
