// The table of one session's channels: a refused call leaves none open, and an end concerns one channel, not its successor.
import type { BusError } from '@sallyport/protocol/internal/errors'
import { toStreamReference } from '@sallyport/protocol/internal/message'
import { Streams, type StreamWriter } from '@sallyport/protocol/internal/rpc'
import { CHANNEL_MESSAGE_COST, CHANNEL_READ_AHEAD, MAX_CHANNELS } from '@sallyport/protocol/internal/wire'
import { describe, expect, it } from 'vitest'
import { type Channel, ChannelTable } from './channels.js'

function setUp() {
  const sent: unknown[] = []
  const writer: StreamWriter = {
    encode: (_stream, message) => JSON.stringify(message),
    put: encoded => void sent.push(encoded),
    send: () => {},
    fail: () => {},
    room: () => undefined,
    isFull: false,
  }
  const streams = new Streams({ writer, toError: thrown => thrown as BusError })
  const table = new ChannelTable(streams)
  const close = (channel: number): boolean => streams.handle('$/closeChannel', { channel })
  const bind = (...ids: number[]): Channel[] => {
    const declared = Object.fromEntries(ids.map((id, i) => [`c${i}`, id]))
    const args: Record<string, unknown> = {}
    table.bind(args, declared)
    return Object.values(args) as Channel[]
  }
  return { table, bind, sent, streams, close }
}

/** Bytes of the value of each message that fills its share of the window. */
const VALUE = 'x'.repeat(CHANNEL_READ_AHEAD / 64 - CHANNEL_MESSAGE_COST - 2)

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
    expect(late!.signal).toMatchObject({ aborted: true, reason: { reason: 'Disconnected' } })
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
