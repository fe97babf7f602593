// Back-pressure and fairness: messages for a frontend that does not read are bounded and losses are reported, and a frontend
// that floods core is interleaved with others.
import { MAX_EVENT_QUEUE, MAX_SESSION_QUEUE_BYTES } from '@sallyport/protocol/internal/wire'
import { setImmediate as turn } from 'node:timers/promises'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import type { Channel } from '../../src/rpc/channels.js'
import type { App, CommandContext as Context } from '../../src/api/app.js'
import { call, Peer, setUp } from '../support/peer.js'

const MiB = 2 ** 20
const big = 'x'.repeat(MiB)
const held: { app?: App; channel?: Channel; ran: number } = { ran: 0 }

const commands = {
  hold: ({ channel }: { channel?: Channel }, { app }: Context) => {
    held.app = app
    if (channel) held.channel = channel
    return null
  },
  count: () => ++held.ran,
  big: () => {
    held.ran++
    return big
  },
  later: async () => {
    held.ran++
    await turn()
    return big
  },
  spin: () => {
    vi.advanceTimersByTime(1)
    return null
  },
}

async function start(label = 'main', args = '{}') {
  held.ran = 0
  const { core, reports } = await setUp('brownfield', commands as never)
  const peer = new Peer(core, label)
  peer.send(call(1, 'hold', `,"params":${args}`))
  await peer.next()
  return { core, reports, peer }
}
const listen = (id: number, event: string): string => call(id, 'plugin:event|listen', `,"params":{"event":"${event}"}`)
const listenTo = async (peer: Peer, id: number, event: string): Promise<void> => {
  peer.send(listen(id, event))
  await peer.next()
}
/** Lets the event loop read all that has come: core and the peers are in this thread. */
async function settle(): Promise<void> {
  for (let n = 0; n < 50; n++) await turn()
}
/** Returns all received messages once no more arrive. */
async function readAll(peer: Peer): Promise<any[]> {
  let seen = -1
  while (seen !== peer.received.length) {
    seen = peer.received.length
    await settle()
  }
  return peer.received as any[]
}

describe('a frontend that does not read', () => {
  it('gets the newest events after the number of dropped ones, which the host gets, too', async () => {
    const { peer, reports } = await start()
    await listenTo(peer, 2, 'tick')
    await listenTo(peer, 3, 'sallyport://dropped')
    peer.link.pause()
    for (let n = 0; n < 100; n++) held.app!.emit('tick', { n, big })
    await settle()
    held.app!.emit('tick', { n: 'last' })
    peer.link.resume()
    const events = (await readAll(peer)).map(({ params }) => params)
    const numbers = events.filter(({ event }) => event === 'tick').map(({ payload }) => payload.n)
    const { count } = events.find(({ event }) => event === 'sallyport://dropped').payload
    expect(count).toBeGreaterThan(0)
    expect(numbers).toHaveLength(101 - count)
    expect(numbers.at(-1)).toBe('last')
    const gap = numbers.findIndex((n, at) => n !== at)
    expect(numbers.slice(gap)).toEqual([
      ...Array.from({ length: 100 - gap - count }, (_, at) => at + gap + count),
      'last',
    ])
    expect(events.findIndex(({ event }) => event !== 'tick')).toBe(gap)
    expect(reports).toContainEqual({ type: 'overload', label: 'main', dropped: expect.any(Number) })
  })

  it('loses small events beyond a number', async () => {
    const { peer, reports } = await start()
    await listenTo(peer, 2, 'tick')
    peer.link.pause()
    for (let n = 0; n < 8; n++) held.app!.emit('tick', big)
    await settle()
    for (let n = 0; n < 2 * MAX_EVENT_QUEUE; n++) held.app!.emit('tick', n)
    await expect.poll(() => reports.some(({ type }) => type === 'overload')).toBe(true)
    peer.link.resume()
    const ticks = (await readAll(peer)).flatMap(({ params: { payload, payloads } }) => payloads ?? [payload])
    expect(ticks.length).toBeLessThanOrEqual(MAX_EVENT_QUEUE + 100)
    expect(ticks.at(-1)).toBe(2 * MAX_EVENT_QUEUE - 1)
  })

  it('is not read meanwhile, and its calls are served later', async () => {
    const { peer } = await start()
    peer.link.pause()
    for (let id = 2; id < 12; id++) peer.send(call(id, 'big'))
    await settle()
    const before = held.ran
    expect(before).toBeLessThan(10)
    for (let id = 12; id < 22; id++) peer.send(call(id, 'count'))
    await settle()
    expect(held.ran).toBe(before)
    peer.link.resume()
    await expect.poll(() => peer.received.length).toBe(20)
    expect(peer.received.map(answer => (answer as any).id)).toEqual(Array.from({ length: 20 }, (_, at) => at + 2))
  })

  it('is not served for the rest of a frame', async () => {
    const { peer } = await start()
    peer.link.pause()
    peer.send(`[${Array.from({ length: 100 }, (_, at) => call(at + 2, 'big')).join()}]`)
    await settle()
    expect(held.ran).toBeLessThan(15)
    peer.link.resume()
    await expect.poll(() => peer.received.length).toBe(100)
  })

  it('gets late answers up to a limit, and errors instead of the others', async () => {
    const { peer } = await start()
    const count = 2 * (MAX_SESSION_QUEUE_BYTES / MiB)
    // No time slice of the session ends before all calls have begun.
    vi.useFakeTimers({ toFake: ['performance'] })
    onTestFinished(() => void vi.useRealTimers())
    peer.send(`[${Array.from({ length: count }, (_, at) => call(at + 2, 'later')).join()}]`)
    peer.link.pause()
    await expect.poll(() => held.ran).toBe(count)
    await settle()
    peer.link.resume()
    await expect.poll(() => peer.received.length).toBe(count)
    const refused = peer.received.filter(answer => (answer as any).error)
    expect(refused.length).toBeGreaterThan(20)
    expect(refused.length).toBeLessThan(count - 60)
    expect(refused[0]).toMatchObject({ error: { code: -32004 } })
  })

  it('makes channels wait, and rejects messages of senders that do not wait, in order', async () => {
    const { peer } = await start('main', '{"channel":"__CHANNEL__:7"},"channels":{"channel":7}')
    peer.link.pause()
    let sent = 0
    const failures: any[] = []
    const send = async (): Promise<void> => {
      await held.channel!.send(big)
      sent++
    }
    for (let i = 0; i < 20; i++) await Promise.race([send(), settle()])
    expect(sent).toBeLessThan(12)
    for (let i = 0; i < 100; i++) held.channel!.send(big).catch((error: unknown) => failures.push(error))
    await settle()
    expect(failures.length).toBeGreaterThan(10)
    expect(failures[0]).toMatchObject({ reason: 'Overloaded' })
    peer.link.resume()
    let read = 0
    for (let seen = -1; seen !== read;) {
      seen = read
      const messages = (await readAll(peer)).filter(({ params }) => params.credit === undefined)
      read = messages.length
      expect(messages.map(({ params }) => params.index)).toEqual(messages.map((_, at) => at))
      peer.send('{"jsonrpc":"2.0","method":"$/credit","params":{"channel":7,"bytes":4194304}}')
    }
    expect(read).toBe(120 - failures.length)
    await expect.poll(() => sent).toBe(20)
  })

  it('rejects calls of its functions beyond a limit', async () => {
    const { peer } = await start()
    peer.link.pause()
    const reasons: string[] = []
    for (let i = 0; i < 100; i++) {
      held.app!.call('main', 'f', { big }).catch(({ reason }: { reason: string }) => reasons.push(reason))
    }
    await settle()
    expect(new Set(reasons)).toEqual(new Set(['Overloaded']))
    peer.link.close()
    await expect.poll(() => reasons.length).toBe(100)
    expect(reasons.filter(reason => reason === 'Disconnected').length).toBeGreaterThan(60)
  })

  it('does not affect others when it disconnects', async () => {
    const { peer, core } = await start()
    await listenTo(peer, 2, 'tick')
    peer.link.pause()
    for (let n = 0; n < 100; n++) held.app!.emit('tick', big)
    peer.send(call(3, 'count'))
    await settle()
    peer.link.close()
    const other = new Peer(core, 'other').send(call(1, 'count'))
    expect(await other.next()).toMatchObject({ result: expect.any(Number) })
  })
})

describe('a frontend that floods', () => {
  /** Core's clock moves only while it serves `spin`. */
  const stopClock = (): void => {
    vi.useFakeTimers({ toFake: ['performance'] })
    onTestFinished(() => void vi.useRealTimers())
  }

  it('is interleaved with another, within one frame and across frames', async () => {
    stopClock()
    const { peer: flood, core } = await start('flood')
    const quiet = new Peer(core, 'quiet')
    const frame = `[${Array.from({ length: 200 }, (_, at) => call(at + 2, 'spin')).join()}]`
    flood.send(frame)
    for (let id = 1000; id < 1200; id++) flood.send(call(id, 'spin'))
    await flood.next()
    for (let id = 1; id <= 3; id++) {
      quiet.send(call(id, 'count'))
      await quiet.next()
    }
    expect(flood.received.length).toBeLessThan(300)
    await expect.poll(() => flood.received.length).toBe(399)
  })

  it('gets a fair share when another floods as well', async () => {
    stopClock()
    const { peer: first, core } = await start('first')
    const other = new Peer(core, 'other')
    for (const peer of [first, other]) for (let id = 2; id < 302; id++) peer.send(call(id, 'spin'))
    while (Math.max(first.received.length, other.received.length) <= 100) await turn()
    const [a, b] = [first.received.length, other.received.length]
    expect(Math.min(a, b)).toBeGreaterThan(Math.max(a, b) / 3)
  })
})
