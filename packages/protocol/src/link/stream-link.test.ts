// Frames in a stream of bytes, at random: whatever the cuts, chunks of both kinds give the same frames, and no bytes give anything else.
import { once } from 'node:events'
import { connect as connectTo, type Socket } from 'node:net'
import { Duplex } from 'node:stream'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { describe, expect, it, test, vi } from 'vitest'
import { rows } from '../../../../scripts/testing.js'
import { linkBehaviour, recorder, type Recorder } from '../../test/link-behaviour.js'
import { linkFlow } from '../../test/link-flow.js'
import { settled, usePairs } from '../../test/socket-pairs.js'
import { isBusError } from '../errors/bus-error.js'
import { MAX_BODY_BYTES } from '../wire/limits.js'
import type { FrameKind } from '../wire/messages.js'
import type { Link } from '../wire/link.js'
import { StreamFrames, StreamLink, writeAhead } from './stream-link.js'

const SEEDS = 300
const MAX_BODY = 20_000
const KINDS: readonly FrameKind[] = [1, 2, 3, 5]

/** Returns numbers from 0 up to a limit, which a seed decides. */
function createRandom(seed: number): (limit: number) => number {
  let state = seed * 2654435761
  return limit => {
    state = (Math.imul(state ^ (state >>> 15), 0x2c1b3c6d) + 0x6d2b79f5) | 0
    return ((state ^ (state >>> 13)) >>> 0) % limit
  }
}

const pickSize = (random: (limit: number) => number): number => random([4, 60, 5000, MAX_BODY + 1][random(4)]!)

function toBytes(kind: number, body: Uint8Array): Buffer {
  const head = Buffer.alloc(5)
  head.writeUInt32LE(body.length)
  head[4] = kind
  return Buffer.concat([head, body])
}

/** Gives `bytes` to `frames` in random cuts, own chunks and lent ones, whose memory is overwritten. Calls back with each frame. */
function feed(
  frames: StreamFrames,
  bytes: Buffer,
  random: (limit: number) => number,
  take: (text: string) => void,
): void {
  const lent = Buffer.alloc(2 ** 16)
  let isPaused = false
  const drain = (): void => {
    for (let count = 0; !isPaused; count++) {
      const frame = frames.next()
      if (!frame) return
      take(`${frame.kind}:${Buffer.from(frame.body).toString('latin1')}`)
      if (random(10) === 0) isPaused = true
    }
  }
  for (let at = 0; at < bytes.length;) {
    const end = Math.min(bytes.length, at + 1 + pickSize(random))
    const part = bytes.subarray(at, end)
    if (random(2) === 0) frames.add(Buffer.from(part))
    else frames.lend(lent.subarray(0, part.copy(lent)))
    at = end
    drain()
    frames.keep()
    lent.fill(0xff)
    if (isPaused && random(3) === 0) isPaused = false
  }
  while (frames.unread > 0) {
    const before = frames.unread
    isPaused = false
    drain()
    if (frames.unread === before && !isPaused) return
  }
}

describe('frames of a stream', () => {
  test('arrive whole and in order, whatever the cuts, read immediately or not', () =>
    rows([true, false])(readsImmediately => {
      for (let seed = 1; seed <= SEEDS; seed++) {
        const random = createRandom(seed)
        const sent = Array.from({ length: 1 + random(30) }, () => {
          const body = Buffer.alloc(pickSize(random), String(random(10)))
          return [KINDS[random(4)]!, body] as const
        })
        const frames = new StreamFrames(MAX_BODY)
        frames.readsImmediately = readsImmediately
        const taken: string[] = []
        feed(frames, Buffer.concat(sent.map(each => toBytes(...each))), random, text => taken.push(text))
        expect(taken, `seed ${seed}`).toEqual(sent.map(([kind, body]) => `${kind}:${body.toString('latin1')}`))
        expect(frames.unread).toBe(0)
        expect(frames.next()).toBeUndefined()
      }
    }))

  test('of a hostile peer are valid ones, or a fault', () => {
    let faults = 0
    for (let seed = 1; seed <= SEEDS; seed++) {
      const random = createRandom(seed)
      const parts = Array.from({ length: 1 + random(20) }, () => {
        const bytes = toBytes(KINDS[random(4)]!, Buffer.alloc(random(300)))
        // Most of the frames are valid, so that the faults are everywhere.
        if (random(8) === 0) bytes[random(5)] = random(256)
        return random(16) === 0 ? bytes.subarray(random(bytes.length)) : bytes
      })
      const bytes = Buffer.concat(parts)
      const frames = new StreamFrames(MAX_BODY)
      let total = 0
      try {
        feed(frames, bytes, random, text => {
          expect(text).toMatch(/^[1235]:/)
          expect(text.length).toBeLessThanOrEqual(MAX_BODY + 2)
          total += text.length - 2 + 5
        })
      } catch (error) {
        if (!isBusError(error, 'InvalidRequest')) throw error
        faults++
      }
      expect(total, `seed ${seed}`).toBeLessThanOrEqual(bytes.length)
    }
    expect(faults).toBeGreaterThan(SEEDS / 4)
  })
})

// A link over a socket: the behavior of every link, back-pressure, and hostile peers.

const sockets = usePairs(path => connectTo(path))

const createPair = (): [Link, Link] => {
  const [near, far] = sockets()
  return [new StreamLink(near), new StreamLink(far)]
}
linkBehaviour('a stream link', createPair, settled)
linkFlow('a stream link', createPair)

function header(length: number, kind: number): Buffer {
  const bytes = Buffer.alloc(5)
  bytes.writeUInt32LE(length)
  bytes[4] = kind
  return bytes
}

/** Creates a link and the bare stream of its peer. */
function bare(maxBodyBytes?: number): { link: Link; seen: Recorder; peer: Socket } {
  const [socket, peer] = sockets()
  const link = new StreamLink(socket, maxBodyBytes)
  const seen = recorder()
  link.receive(seen)
  peer.on('error', () => {})
  return { link, seen, peer }
}

const violation = (what: string): string => `fault: InvalidRequest: The peer violated the stream protocol: ${what}`
const good = Buffer.concat([header(1, 1), Buffer.from('a')])

describe('a stream link', () => {
  it('treats an invalid frame as a fault and ignores the rest', () =>
    rows([
      ['an invalid kind', header(4, 0), 'invalid kind of frame'],
      ['another invalid kind', header(4, 6), 'invalid kind of frame'],
      ['a frame over the limit', header(MAX_BODY_BYTES + 1, 1), 'a frame out of bounds'],
      ['a frame of 4 GiB', header(0xffff_ffff, 5), 'a frame out of bounds'],
      ['garbage', Buffer.from('GET / HTTP/1.1\r\n\r\n'), 'invalid kind of frame'],
    ])(async (_name, bytes, what) => {
      const { seen, peer, link } = bare()
      peer.write(Buffer.concat([good, bytes, good]))
      await expect.poll(() => seen.log).toEqual(['1:a', violation(what)])
      link.send({ kind: 1, body: 'x' })
      link.close()
      peer.resume().write(good)
      await expect.poll(() => peer.destroyed).toBe(true)
      expect(seen.log).toHaveLength(2)
    }))

  it('drops a frame that its peer has not ended', () =>
    rows({
      'its header': header(9, 1).subarray(0, 3),
      'its body': Buffer.concat([header(9, 1), Buffer.from('1234')]),
    })(async bytes => {
      const { seen, peer } = bare()
      peer.end(Buffer.concat([good, bytes]))
      await expect.poll(() => seen.log).toEqual(['1:a', 'closed'])
    }))

  it('ends when the peer disconnects between frames', async () => {
    const { seen, peer } = bare()
    peer.write(good, () => peer.destroy())
    await expect.poll(() => seen.log).toEqual(['1:a', 'closed'])
  })

  it('delivers what a peer sent before it disconnected, even if it cannot be written to any more', async () => {
    const [socket, peer] = sockets()
    socket.pause()
    const link = new StreamLink(socket)
    peer.write(good)
    peer.destroy()
    await once(peer, 'close')
    link.send({ kind: 1, body: 'too late' })
    await settled()
    const seen = recorder()
    link.receive(seen)
    await expect.poll(() => seen.log).toEqual(['1:a', 'closed'])
  })

  it('ends when the peer disconnects with unread frames', async () => {
    const { seen, peer, link } = bare()
    link.send({ kind: 1, body: 'never read' })
    await settled()
    peer.destroy()
    await expect.poll(() => seen.log).toEqual(['closed'])
  })

  it('can have a lower limit for received frames', async () => {
    const { seen, peer } = bare(10)
    peer.write(Buffer.concat([header(10, 1), Buffer.alloc(10, 'b'), header(11, 1)]))
    await expect.poll(() => seen.log).toEqual([`1:${'b'.repeat(10)}`, violation('a frame out of bounds')])
  })

  it('rejects frames that its peer would treat as a fault', () => {
    const body = new Uint8Array(MAX_BODY_BYTES + 1)
    expect(() => bare().link.send({ kind: 2, body })).toThrow('is over the limit')
  })

  it('assembles frames of every kind and size from single bytes', async () => {
    const { seen, peer } = bare()
    const bodies = [0, 1, 5, 4096, 4097].flatMap(size => [1, 2, 3, 5].map(kind => [kind, 'x'.repeat(size)] as const))
    const bytes = Buffer.concat(bodies.flatMap(([kind, body]) => [header(body.length, kind), Buffer.from(body)]))
    for (let at = 0; at < bytes.length; at += at % 97 === 0 ? 1 : 13) {
      peer.write(bytes.subarray(at, at + (at % 97 === 0 ? 1 : 13)))
      if (at % 5 === 0) await nextTurn()
    }
    await expect.poll(() => seen.log).toEqual(bodies.map(([kind, body]) => `${kind}:${body}`))
  })

  it('allocates for what has arrived, and not for the claimed length', async () => {
    const { peer, link } = bare()
    const before = process.memoryUsage().arrayBuffers
    peer.write(header(250 * 2 ** 20, 5))
    for (let i = 0; i < 3000; i++) {
      peer.write('x')
      if (i % 3 === 0) await nextTurn()
    }
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(8 * 2 ** 20)
    link.close()
  })

  it('puts MessagePack and attachments into buffers of their own', async () => {
    const [near, far] = createPair()
    const bodies: Uint8Array[] = []
    far.receive({ frame: ({ body }) => bodies.push(body as Uint8Array), closed: () => {} })
    for (const kind of [2, 5] as const) near.send({ kind, body: new Uint8Array(100).fill(7) })
    await expect
      .poll(() => bodies.map(({ length, buffer }) => [length, buffer.byteLength]))
      .toEqual([
        [100, 100],
        [100, 100],
      ])
    near.close()
  })

  it('has no room while the peer reads nothing, and has room again when it reads', async () => {
    const { link, peer } = bare()
    expect(link.room()).toBeUndefined()
    for (let i = 0; i < 40; i++) link.send({ kind: 5, body: new Uint8Array(100_000) })
    const room = link.room()!
    expect(link.room()).toBe(room)
    let hasRoom = false
    void room.then(() => (hasRoom = true))
    await settled()
    expect(hasRoom).toBe(false)
    peer.resume()
    await room
    expect(link.room()).toBeUndefined()
  })

  it('has room in a later turn: who sends without an end still hears what others say', async () => {
    const stream = new Duplex({
      highWaterMark: 1,
      read() {},
      write: (_chunk, _encoding, written) => process.nextTick(written),
    })
    const link = new StreamLink(stream)
    let sent = 0
    let isHeard = false
    setImmediate(() => (isHeard = true))
    while (sent++ < 1000 && !isHeard) {
      link.send({ kind: 1, body: 'x' })
      await link.room()
    }
    expect(sent).toBeLessThan(1000)
    stream.destroy()
  })

  it('does not wait for a peer that has disconnected', async () => {
    const { link, peer, seen } = bare()
    for (let i = 0; i < 40; i++) link.send({ kind: 5, body: new Uint8Array(100_000) })
    const room = link.room()
    peer.destroy()
    await room
    await expect.poll(() => seen.log).toEqual(['closed'])
  })

  it('reads a bounded number of bytes while it is paused', async () => {
    const { link, peer, seen } = bare()
    link.pause()
    const frame = Buffer.concat([header(100_000, 5), Buffer.alloc(100_000, 'x')])
    for (let i = 0; i < 100; i++) peer.write(frame)
    await settled()
    expect(seen.log).toEqual([])
    expect(peer.writableLength).toBeGreaterThan(85 * frame.length)
    link.resume()
    await expect.poll(() => seen.log.length).toBe(100)
    expect(peer.writableLength).toBe(0)
  })
})

test('a closed link does not give up while its peer takes a piece now and then', async () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
  const taken: (() => void)[] = []
  const stream = new Duplex({
    read() {},
    write: (_chunk, _encoding, done) => void taken.push(done),
    final(done) {
      this.push(null)
      done()
    },
  })
  const link = new StreamLink(stream)
  const seen = recorder()
  link.receive(seen)
  for (let piece = 0; piece < 5; piece++) link.send({ kind: 5, body: new Uint8Array(2 ** 16) })
  link.close()
  for (let piece = 0; piece < 10; piece++) {
    await nextTurn()
    taken.shift()!()
    vi.advanceTimersByTime(20_000)
  }
  vi.useRealTimers()
  await expect.poll(() => seen.log).toEqual(['closed'])
  expect(link.unsent).toBe(0)
})

test('a stream takes as many bytes ahead as it may, writes all in order, and ends behind them', async () => {
  const written: string[] = []
  const pending: (() => void)[] = []
  const stream = new Duplex({
    read() {},
    write(chunk: Buffer, _encoding, done) {
      written.push(String(chunk))
      pending.push(done)
    },
    final(done) {
      written.push('end')
      done()
    },
  })
  writeAhead(stream, 4)
  const done: string[] = []
  for (const text of ['ab', 'cd', 'ef']) stream.write(text, () => done.push(text))
  stream.end()
  await new Promise(setImmediate)
  expect([written, done]).toEqual([['ab'], ['ab', 'cd']])
  for (let count = 1; count <= 3; count++) {
    pending.shift()!()
    await new Promise(setImmediate)
  }
  expect([written, done]).toEqual([
    ['ab', 'cd', 'ef', 'end'],
    ['ab', 'cd', 'ef'],
  ])
})
