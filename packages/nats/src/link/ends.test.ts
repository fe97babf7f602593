// How a NATS link ends where its peer, or the wire, does not help: silence, a wire that is lost, a close that nobody hears.
import { BusError } from '@sallyport/protocol'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { createBarePeer } from '../../test/bare-peer.js'

const [PING, PONG, CLOSE] = [[5], [6], [7]]
const FRAME = [1, 1, 0, 0, 0, 1, 0x61]
const silent = 'fault: Disconnected: The peer was silent for 4000 ms'

beforeEach(() => void vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval', 'setTimeout', 'clearTimeout'] }))
afterEach(() => {
  const left = vi.getTimerCount()
  vi.useRealTimers()
  if (left > 0) throw new Error(`${left} timers are left`)
})

const peer = (options = {}) => {
  const bare = createBarePeer({ heartbeat: 1000, ...options })
  return { ...bare, types: () => bare.published.map(([type]) => type) }
}
const microtasks = (): Promise<void> => new Promise(resolve => setImmediate(resolve))
/** Fills the window of a link, so that something waits. */
const fill = (link: ReturnType<typeof peer>['link']): void => {
  for (let i = 0; i < 10; i++) link.send({ kind: 5, body: new Uint8Array(1_000_000) })
}

describe('the heartbeat of a NATS link', () => {
  it('asks a silent peer three times, and then gives it up', () => {
    const { seen, types } = peer()
    vi.advanceTimersByTime(3999)
    expect([types(), seen.log]).toEqual([[5, 5, 5], []])
    vi.advanceTimersByTime(1)
    expect([types(), seen.log]).toEqual([[5, 5, 5], [silent]])
  })

  it('asks nobody who speaks, and begins anew with every word', () => {
    const { say, types, seen, link } = peer()
    for (let i = 0; i < 10; i++) {
      say([FRAME, PONG, PING][i % 3]!)
      vi.advanceTimersByTime(900)
    }
    expect(types().filter(type => type === 5)).toEqual([])
    vi.advanceTimersByTime(3000)
    say(PONG)
    vi.advanceTimersByTime(3900)
    expect(seen.log.filter(line => line.startsWith('fault'))).toEqual([])
    link.close()
  })

  it('is not deceived by who forges', () => {
    const { seen, link } = peer()
    for (let i = 0; i < 80; i++) {
      link.take(new Uint8Array(40))
      vi.advanceTimersByTime(50)
    }
    expect(seen.log).toEqual([silent])
  })

  it('answers', () => {
    const { say, published, link } = peer()
    say(PING, PING, PONG)
    expect(published.map(bytes => [...bytes])).toEqual([PONG, PONG])
    link.close()
  })
})

describe('a NATS link', () => {
  it('whose wire is lost ends at once, whatever it has', async () => {
    const { say, seen, link } = peer()
    link.pause()
    say(FRAME)
    fill(link)
    const room = link.room()
    link.lost(new BusError('Disconnected', 'The server is gone'))
    await room
    expect(seen.log).toEqual(['fault: Disconnected: The server is gone'])
    expect([link.queued, link.room()]).toEqual([0, undefined])
    link.lost(new BusError('Disconnected', 'again'))
    link.resume()
    link.close()
    await microtasks()
    expect(seen.log).toHaveLength(1)
  })

  it('that its peer had closed is lost no more', async () => {
    const { say, seen, link } = peer()
    link.pause()
    say(FRAME, CLOSE)
    link.lost(new BusError('Disconnected', 'The server is gone'))
    link.resume()
    await microtasks()
    expect(seen.log).toEqual(['1:a', 'closed'])
  })

  it('closed with something waiting ends where its peer is silent, lost, or says so', async () => {
    const ways: Record<string, (bare: ReturnType<typeof peer>) => void> = {
      silent: () => void vi.advanceTimersByTime(4000),
      lost: ({ link }) => link.lost(new BusError('Disconnected', 'The server is gone')),
      closed: ({ say }) => say(CLOSE),
    }
    for (const end of Object.values(ways)) {
      const bare = peer()
      fill(bare.link)
      bare.link.close()
      await microtasks()
      expect(bare.seen.log).toEqual([])
      end(bare)
      expect(bare.seen.log).toEqual(['closed'])
    }
  })

  it('closed with something waiting, lingers for a peer that takes nothing of it, and no longer', async () => {
    const { say, seen, link, types } = peer()
    fill(link)
    link.close()
    for (let second = 0; second < 29.5; second++) {
      say(FRAME)
      vi.advanceTimersByTime(1000)
    }
    expect(seen.log).toEqual([])
    vi.advanceTimersByTime(500)
    await microtasks()
    expect(seen.log).toEqual(['closed'])
    expect(types().at(-1)).toBe(7)
  })

  it('closed with something waiting, waits on for a peer that takes some of it', async () => {
    const { say, seen, link, types } = peer({ heartbeat: 60_000 })
    for (let i = 0; i < 3; i++) fill(link)
    link.close()
    for (let total = 2; total < 8; total += 2) {
      vi.advanceTimersByTime(29_000)
      const credit = Buffer.alloc(9, 2)
      credit.writeDoubleBE(total * 1_000_000, 1)
      say(credit)
    }
    expect(seen.log).toEqual([])
    const sent = types().length
    vi.advanceTimersByTime(30_000)
    await microtasks()
    expect(seen.log).toEqual(['closed'])
    expect(types().slice(sent), 'nothing but the end').toEqual([7])
  })

  it('tells once that it is over, and may be told so itself from there', () => {
    let over = 0
    const again = (): void => {
      over++
      bare.link.lost(new BusError('Disconnected', 'again'))
    }
    const bare: ReturnType<typeof peer> = peer({ over: again })
    bare.link.lost(new BusError('Disconnected', 'The server is gone'))
    expect([over, bare.seen.log]).toEqual([1, ['fault: Disconnected: The server is gone']])
  })

  it('that can’t publish is lost, and not within what it was asked for', async () => {
    const cause = new Error('closed')
    const wire = {
      maxPayload: 2 ** 20,
      publish() {
        throw cause
      },
    }
    const { link, seen } = peer({ wire })
    link.send({ kind: 1, body: 'x' })
    expect(seen.log).toEqual([])
    await microtasks()
    expect(seen.log).toEqual(['fault: Disconnected: Nothing can be published'])
  })

  it('may be closed by whoever hears of its first message', async () => {
    const bare: ReturnType<typeof peer> = peer({ opened: () => bare.link.close() })
    bare.say(FRAME)
    await microtasks()
    expect(bare.seen.log).toEqual(['closed'])
  })
})
