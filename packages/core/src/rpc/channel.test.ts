// The table of one session's channels: a refused call leaves none open, and an end concerns one channel, not its successor.
import { MAX_CHANNELS, toStreamReference } from '@sallyport/protocol/internal'
import { describe, expect, it } from 'vitest'
import { type Channel, type ChannelQueue, ChannelTable, type ChannelWriter } from './channel.js'

/** @param room the result of the link's `room` */
function setUp(room?: Promise<void>) {
  const sent: unknown[] = []
  const sender: ChannelWriter & ChannelQueue = {
    encode: (_channel, message) => JSON.stringify(message),
    sendValue: (_source, _index, encoded) => void sent.push(encoded),
    send: message => void sent.push(message),
    room: () => room,
    isFull: false,
  }
  const table = new ChannelTable(sender, sender, { pull: () => expect.unreachable(), stop: () => {} })
  const bind = (...ids: number[]): Channel[] => {
    const declared = Object.fromEntries(ids.map((id, i) => [`c${i}`, id]))
    const args: Record<string, unknown> = {}
    table.bind(args, declared)
    return Object.values(args) as Channel[]
  }
  return { table, bind, sent }
}

it('false credit gains one window, once the link has room', async () => {
  let makeRoom = (): void => {}
  const { table, bind, sent } = setUp(new Promise(resolve => (makeRoom = resolve)))
  const [channel] = bind(1)
  const sending = Array.from({ length: 1000 }, (_, i) => channel!.send(i))
  const claimFalseCredit = (): void => {
    for (let i = 0; i < 1000; i++) table.credit(1, Number.MAX_SAFE_INTEGER)
  }
  claimFalseCredit()
  await Promise.resolve()
  expect(sent).toHaveLength(256)
  makeRoom()
  await sending[511]
  expect(sent).toHaveLength(512)
  table.close(1)
  expect((await Promise.allSettled(sending)).filter(({ status }) => status === 'rejected')).toHaveLength(1000 - 512)
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
    const { table, bind, sent } = setUp()
    const opened = [...table.bind({}, { a: 5 })]
    for (const channel of opened) channel.end()
    const [second] = bind(5)
    for (const channel of opened) channel.abandon('cancelled')
    for (let i = 0; i < 256; i++) await second!.send(i)
    const waiting = second!.send('one more')
    table.credit(5, 1)
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
