// The end of a NATS link without the help of its peer or its wire: silence, suspicion, a lost wire, a close without an answer.
import { BusError } from '@sallyport/protocol/internal/errors'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { createBarePeer } from '../../test/long/bare-peer.js'

const [PING, PONG, CLOSE] = [[5], [6], [7]]
const FRAME = [1, 1, 0, 0, 0, 1, 0x61]
const SILENT = 'fault: Disconnected: The peer was silent for 4000 ms'

const { setImmediate: onNextTurn } = globalThis
beforeEach(() => void vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'setImmediate'] }))
afterEach(() => {
  const left = vi.getTimerCount()
  vi.useRealTimers()
  if (left > 0) throw new Error(`${left} timers are left`)
})

const createPeer = (options = {}) => {
  const peer = createBarePeer({ heartbeat: 1000, ...options })
  return { ...peer, types: () => peer.published.map(([type]) => type) }
}
const nextTick = (): Promise<void> => new Promise(resolve => onNextTurn(resolve))
const lost = (): BusError => new BusError('Disconnected', 'The connection was lost')
/** Fills the window of a link, so that frames wait. */
const fill = (link: ReturnType<typeof createPeer>['link']): void => {
  for (let i = 0; i < 10; i++) link.send({ kind: 5, body: new Uint8Array(1_000_000) })
}

describe('the heartbeat of a NATS link', () => {
  it('pings a silent peer three times before the peer counts as lost', () => {
    const { seen, types } = createPeer()
    vi.advanceTimersByTime(3999)
    expect([types(), seen.log]).toEqual([[5, 5, 5], []])
    vi.advanceTimersByTime(5)
    expect([types(), seen.log]).toEqual([[5, 5, 5], [SILENT]])
  })

  it('does not ping while messages arrive, and restarts with each of them', () => {
    const { say, types, seen, link } = createPeer()
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

  it('ignores forged messages', () => {
    const { seen, link } = createPeer()
    for (let i = 0; i < 81; i++) {
      link.handleMessage(new Uint8Array(40))
      vi.advanceTimersByTime(50)
    }
    expect(seen.log).toEqual([SILENT])
  })

  it('answers pings', () => {
    const { say, published, link } = createPeer()
    say(PING, PING, PONG)
    expect(published.map(bytes => [...bytes])).toEqual([PONG, PONG])
    link.close()
  })
})

describe('a suspected peer', () => {
  it('is lost soon if no message arrives', async () => {
    const detached = vi.fn<() => void>()
    const { seen, types, link } = createPeer({ detached })
    link.suspect()
    link.suspect()
    vi.advanceTimersByTime(501)
    expect(types()).toEqual([5])
    expect(seen.log).toEqual(['fault: Disconnected: The peer was silent for 500 ms'])
    expect(detached).toHaveBeenCalledOnce()
  })

  it('is not lost if it answers', async () => {
    const { seen, say, types, link } = createPeer()
    link.suspect()
    expect(types()).toEqual([5])
    say(PONG)
    vi.advanceTimersByTime(900)
    await nextTick()
    say(FRAME)
    expect(seen.log).toEqual(['1:a'])
    link.close()
  })
})

describe('a NATS link', () => {
  it('ends at once when its wire is lost', async () => {
    const { say, seen, link } = createPeer()
    link.pause()
    say(FRAME)
    fill(link)
    const room = link.room()
    link.fail(lost())
    await room
    expect(seen.log).toEqual(['fault: Disconnected: The connection was lost'])
    expect([link.queued, link.room()]).toEqual([0, undefined])
    link.fail(new BusError('Disconnected', 'again'))
    link.resume()
    link.close()
    await nextTick()
    expect(seen.log).toHaveLength(1)
  })

  it("delivers the peer's close if its wire is lost after that", async () => {
    const { say, seen, link } = createPeer()
    link.pause()
    say(FRAME, CLOSE)
    link.fail(lost())
    link.resume()
    await nextTick()
    expect(seen.log).toEqual(['1:a', 'closed'])
  })

  it('is closed while frames wait once the peer is silent, the wire is lost, or the peer closes too', async () => {
    const ends: ((peer: ReturnType<typeof createPeer>) => void)[] = [
      () => void vi.advanceTimersByTime(4100),
      ({ link }) => link.fail(lost()),
      ({ say }) => say(CLOSE),
    ]
    for (const end of ends) {
      const peer = createPeer()
      fill(peer.link)
      peer.link.close()
      await nextTick()
      expect(peer.seen.log).toEqual([])
      end(peer)
      expect(peer.seen.log).toEqual(['closed'])
    }
  })

  it('is closed while frames wait after 30 s if the peer takes none of them', async () => {
    const { say, seen, link, types } = createPeer()
    fill(link)
    link.close()
    for (let second = 0; second < 29.5; second++) {
      say(FRAME)
      vi.advanceTimersByTime(1000)
    }
    expect(seen.log).toEqual([])
    vi.advanceTimersByTime(501)
    await nextTick()
    expect(seen.log).toEqual(['closed'])
    expect(types().at(-1)).toBe(7)
  })

  it('keeps waiting while it is closed and the peer takes some of its frames', async () => {
    const { say, seen, link, types } = createPeer({ heartbeat: 60_000 })
    for (let i = 0; i < 3; i++) fill(link)
    link.close()
    for (let total = 2; total < 8; total += 2) {
      vi.advanceTimersByTime(29_000)
      const credit = Buffer.alloc(9, 2)
      credit.writeDoubleBE(total * 1_000_000, 1)
      say(credit)
    }
    expect(seen.log).toEqual([])
    const count = types().length
    vi.advanceTimersByTime(38_000)
    await nextTick()
    expect(seen.log).toEqual(['closed'])
    expect(types().slice(count), 'nothing but the close').toEqual([7])
  })

  it('reports once that it is detached, even if the listener ends it again', () => {
    let count = 0
    const detached = (): void => {
      count++
      peer.link.fail(new BusError('Disconnected', 'again'))
    }
    const peer: ReturnType<typeof createPeer> = createPeer({ detached })
    peer.link.fail(lost())
    expect([count, peer.seen.log]).toEqual([1, ['fault: Disconnected: The connection was lost']])
  })

  it('ends when publishing fails, but not within `send`', async () => {
    const wire = {
      maxPayload: 2 ** 20,
      publish() {
        throw new Error('closed')
      },
    }
    const { link, seen } = createPeer({ wire })
    link.send({ kind: 1, body: 'x' })
    expect(seen.log).toEqual([])
    await nextTick()
    expect(seen.log).toEqual(['fault: Disconnected: Publishing to NATS failed'])
  })

  it('can be closed by the listener for its first message', async () => {
    const peer: ReturnType<typeof createPeer> = createPeer({ opened: () => peer.link.close() })
    peer.say(FRAME)
    await nextTick()
    expect(peer.seen.log).toEqual(['closed'])
  })
})
