// The table of one frontend's channels: what a refused call opened is closed again, and an end concerns the channel that
// ended, not another one under the same id.
import { channelReference, MAX_CHANNELS } from '@sallyport/protocol'
import { describe, expect, it } from 'vitest'
import { type Channel, type ChannelSender, ChannelTable } from './channel.js'

/** @param room as the link tells it */
function setUp(room?: Promise<void>) {
  const sent: unknown[] = []
  const sender: ChannelSender = {
    encode: (_home, message) => JSON.stringify(message),
    put: (_home, _index, encoded) => void sent.push(encoded),
    post: message => void sent.push(message),
    room: () => room,
    isFull: false,
  }
  const table = new ChannelTable(sender)
  const bind = (...ids: number[]): Channel[] => {
    const args = Object.fromEntries(ids.map((id, i) => [`c${i}`, channelReference(id)])) as Record<string, unknown>
    table.bind(args)
    return Object.values(args) as Channel[]
  }
  return { table, bind, sent }
}

it('a frontend that gives credit for what it has not taken gets one window more, once its link has room', async () => {
  let give = (): void => {}
  const { table, bind, sent } = setUp(new Promise(resolve => (give = resolve)))
  const [channel] = bind(1)
  const sending = Array.from({ length: 1000 }, (_, i) => channel!.send(i))
  const lie = (): void => {
    for (let i = 0; i < 1000; i++) table.credit(1, Number.MAX_SAFE_INTEGER)
  }
  lie()
  await Promise.resolve()
  expect(sent).toHaveLength(256)
  give()
  await sending[511]
  expect(sent).toHaveLength(512)
  table.close(1)
  expect((await Promise.allSettled(sending)).filter(({ status }) => status === 'rejected')).toHaveLength(1000 - 512)
})

describe('the channels of a frontend', () => {
  it('beyond the bound, leave nothing of the call that is refused', () => {
    const { bind } = setUp()
    const open = Array.from({ length: MAX_CHANNELS - 1 }, (_, id) => bind(id)[0]!)
    for (let i = 0; i < 3; i++)
      expect(() => bind(50_000, 50_001)).toThrow(expect.objectContaining({ reason: 'Overloaded' }))
    open[0]!.end()
    expect(bind(50_000, 50_001)).toHaveLength(2)
    expect(() => bind(50_002)).toThrow(expect.objectContaining({ reason: 'Overloaded' }))
  })

  it('that are closed, or end, make room for others, and their signals tell', () => {
    const { table, bind } = setUp()
    let aborted = 0
    for (let id = 0; id < 3 * MAX_CHANNELS; id++) {
      const [channel] = bind(id)
      channel!.signal.addEventListener('abort', () => aborted++)
      if (id % 3 === 0) channel!.end()
      else table.close(id)
    }
    expect(aborted).toBe(2 * MAX_CHANNELS)
    const failing = { held: channelReference(1) }
    const [opened] = table.bind(failing)
    const { signal } = failing.held as unknown as Channel
    opened!.fail()
    expect(signal).toMatchObject({ aborted: true, reason: { message: expect.stringContaining('failed') as string } })
    const [late] = bind(1)
    table.close(1)
    expect(late!.signal).toMatchObject({ aborted: true, reason: { reason: 'Disconnected' } })
  })

  it('may follow one another under one id, and the end of the first call is not that of the second', async () => {
    const { table, bind, sent } = setUp()
    const opened = [...table.bind({ a: channelReference(5) })]
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
