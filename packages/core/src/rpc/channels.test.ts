// The table of one session's channels: a refused call leaves none open, and an end concerns one channel, not its successor.
import type { BusError } from '@sallyport/protocol/internal/errors'
import { STREAM_HEADER, toChannelReference, toStreamReference } from '@sallyport/protocol/internal/message'
import { Streams, type StreamWriter } from '@sallyport/protocol/internal/rpc'
import { setDevelopment } from '@sallyport/protocol/internal/util'
import { CHANNEL_MESSAGE_COST, CHANNEL_READ_AHEAD, MAX_CHANNELS } from '@sallyport/protocol/internal/wire'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'

import { rows } from '../../../../scripts/testing.js'
import { type CallChannel, type Channel, ChannelTable } from './channels.js'

function setUp({ isFull = false } = {}) {
  const sent: unknown[] = []
  const lost: unknown[] = []
  const writer: StreamWriter = {
    encode: (_stream, message) => JSON.stringify(message),
    put: encoded => void sent.push(encoded),
    send: () => {},
    fail: () => {},
    room: () => undefined,
    isFull,
  }
  const streams = new Streams({ writer, toError: thrown => thrown as BusError })
  const table = new ChannelTable(streams, undefined, ({ reason }) => void lost.push(reason))
  const close = (channel: number): boolean => streams.handle('$/closeChannel', { channel })
  /** Binds the channels of a call that returns at once. */
  const bind = (...ids: number[]): Channel[] => {
    const declared = Object.fromEntries(ids.map((id, i) => [`c${i}`, id]))
    const args: Record<string, unknown> = {}
    for (const channel of table.bind(args, declared)) channel.release?.()
    return Object.values(args) as Channel[]
  }
  return { table, bind, sent, lost, streams, close }
}

/** Bytes of the value of each message that fills its share of the window. */
const VALUE = 'x'.repeat(CHANNEL_READ_AHEAD / 64 - CHANNEL_MESSAGE_COST - 2)

describe('ChannelTable', () => {
  it('leaves no channel of a call open that is refused beyond the limit, which its stream counts for, too', () => {
    const { table, bind, streams } = setUp()
    const open = Array.from({ length: MAX_CHANNELS - 1 }, (_, id) => bind(id)[0]!)
    for (let i = 0; i < 3; i++)
      expect(() => bind(50_000, 50_001)).toThrow(expect.objectContaining({ reason: 'Overloaded' }))
    open[0]!.end()
    expect(bind(50_000, 50_001)).toHaveLength(2)
    expect(() => bind(50_002)).toThrow(expect.objectContaining({ reason: 'Overloaded' }))
    const openStream = (id: number, opened: readonly CallChannel[]): unknown =>
      table.openStream({ [STREAM_HEADER]: toChannelReference(id) }, opened)
    for (const channel of open.slice(1, 3)) channel.end()
    expect(openStream(50_003, [])).toMatchObject({ isOpen: true })
    const opened = table.bind({}, { a: 50_004 })
    expect(() => openStream(50_005, opened)).toThrow(expect.objectContaining({ reason: 'Overloaded' }))
    expect([50_003, 50_004, 50_005].map(id => streams.senders.has(id))).toEqual([true, false, false])
  })

  it('makes room for others and aborts signals when channels close or end', () => {
    const { table, bind, close } = setUp()
    for (let id = 0; id < MAX_CHANNELS - 1; id++) bind(id)
    let aborted = 0
    for (let id = MAX_CHANNELS; id < MAX_CHANNELS + 30; id++) {
      const [channel] = bind(id)
      channel!.signal.addEventListener('abort', () => aborted++)
      if (id % 3 === 0) channel!.end()
      else close(id)
    }
    expect(aborted).toBe(20)
    const failing: { held?: Channel } = {}
    const [opened] = table.bind(failing, { held: 40_000 })
    const { signal } = failing.held!
    opened!.fail!()
    expect(signal).toMatchObject({ aborted: true, reason: { message: expect.stringContaining('failed') as string } })
    const [late] = bind(50_000)
    close(50_000)
    const reason = { reason: 'Disconnected', data: { delivered: 'no' } }
    expect(late!.signal).toMatchObject({ aborted: true, reason })
  })

  it('reports the first of the messages of a channel that find no room', async () => {
    const { bind, lost } = setUp({ isFull: true })
    const [channel] = bind(5)
    for (let i = 0; i < 3; i++) await channel!.send(VALUE).catch(() => {})
    expect(lost).toEqual(['Overloaded'])
  })

  it('does not end the second channel of an id when the first call ends', async () => {
    const { table, bind, sent, streams } = setUp()
    const opened = [...table.bind({}, { a: 5 })]
    for (const channel of opened) channel.end()
    const [second] = bind(5)
    for (const channel of opened) channel.abandon('cancelled')
    for (let i = 0; i < 64; i++) await second!.send(VALUE)
    const waiting = second!.send('one more')
    streams.handle('$/credit', { channel: 5, bytes: CHANNEL_READ_AHEAD / 64 })
    await waiting
    expect(sent.at(-1)).toBe('"one more"')
  })
})

/** Binds what a call declares: `references` are those of channels or streams. */
function bindAll({ table }: ReturnType<typeof setUp>, references: readonly string[]): readonly CallChannel[] {
  const entries = references.map((reference, at): [string, string] => [`a${at}`, reference])
  const ids = entries.map(([name, reference]): [string, number] => [name, Number(reference.split(':')[1])])
  return table.bind(Object.fromEntries(entries), Object.fromEntries(ids))
}
const isOverloaded = expect.objectContaining({ reason: 'Overloaded' }) as Error
const HALF = Array.from({ length: MAX_CHANNELS / 2 }, (_, at) => at)

// In development each error has a stack, which takes the test runner 0.1 ms to format.
beforeAll(() => setDevelopment(false))
afterAll(() => setDevelopment(true))

it('counts what a call declares until the call is over, though it has ended or was open before', () =>
  rows<[string, (id: number) => string, (streams: Streams, id: number) => void]>([
    [
      'streams that end',
      toStreamReference,
      (streams, id) => streams.handle('$/channel', { channel: id, index: 0, end: true }),
    ],
    [
      'channels that are closed',
      toChannelReference,
      (streams, id) => streams.handle('$/closeChannel', { channel: id }),
    ],
    ['one channel', () => toChannelReference(7), () => {}],
  ])((_what, toReference, end) => {
    const unit = setUp()
    const calls = [0, 1].map(number => {
      const ids = HALF.map(at => at * 2 + number)
      const opened = bindAll(unit, ids.map(toReference))
      for (const id of ids) end(unit.streams, id)
      return opened
    })
    expect(() => bindAll(unit, [toReference(50_000)])).toThrow(isOverloaded)
    // A call that fails ends its channels, too.
    for (const channel of calls[0]!) (channel.fail ?? channel.end).call(channel)
    for (const channel of calls[0]!) channel.end()
    expect(
      bindAll(
        unit,
        HALF.map(at => toReference(60_000 + at)),
      ),
    ).not.toHaveLength(0)
    expect(() => bindAll(unit, [toReference(50_000)])).toThrow(isOverloaded)
  }))
