// A link over a socket that its thread owns: the behavior of every link, memory that is used again, bounds of a pass, and hostile peers.
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { setImmediate as nextTick } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { choose, rows } from '../../../../scripts/testing.js'
import { linkBehaviour, recorder, type Recorder } from '../../test/link-behaviour.js'
import { linkFlow } from '../../test/link-flow.js'
import { settled, usePairs } from '../../test/socket-pairs.js'
import { MAX_BODY_BYTES } from '../wire/limits.js'
import type { Link } from '../wire/link.js'
import { SocketLink } from './socket-link.js'
import { StreamLink } from './stream-link.js'

const takePair = usePairs(path => new SocketLink(options => connect({ path, ...options })))

function createPair(): [Link, Link] {
  const [near, peer] = takePair()
  return [near, new StreamLink(peer)]
}
const reverse = ([near, far]: [Link, Link]): [Link, Link] => [far, near]
for (const [name, create] of choose(
  [
    ['a socket link', createPair],
    ['the peer of a socket link', () => reverse(createPair())],
  ] as const,
  0,
)) {
  linkBehaviour(name, create, settled)
  linkFlow(name, create)
}

function toBytes(kind: number, body: string | Uint8Array, length = body.length): Buffer {
  const head = Buffer.alloc(5)
  head.writeUInt32LE(length)
  head[4] = kind
  return Buffer.concat([head, Buffer.from(body)])
}

/** Creates a link and the bare socket of its peer. */
function bare(): { link: Link; seen: Recorder; peer: Socket } {
  const [link, peer] = takePair()
  const seen = recorder()
  link.receive(seen)
  peer.on('error', () => {})
  return { link, seen, peer }
}

const violation = (what: string): string => `fault: InvalidRequest: The peer violated the stream protocol: ${what}`
const good = toBytes(1, 'a')

describe('a socket link', () => {
  it('reports its end once all is written, also to a peer that stays', async () => {
    const [link, peer] = takePair()
    const seen = recorder()
    link.receive(seen)
    link.send({ kind: 1, body: '[1]' })
    link.close()
    // The peer reads nothing.
    await settled()
    expect(seen.log).toEqual(['closed'])
    expect(peer.destroyed).toBe(false)
    const [chunk] = (await once(peer, 'data')) as [Buffer]
    expect(chunk.toString()).toContain('[1]')
  })

  it('treats an invalid frame as a fault and ignores the rest', () =>
    rows([
      ['an invalid kind', toBytes(0, 'text'), 'invalid kind of frame'],
      ['another invalid kind', toBytes(6, 'text'), 'invalid kind of frame'],
      ['a frame over the limit', toBytes(1, '', MAX_BODY_BYTES + 1), 'a frame out of bounds'],
      ['a frame of 4 GiB', toBytes(5, '', 0xffff_ffff), 'a frame out of bounds'],
      ['garbage', Buffer.from('GET / HTTP/1.1\r\n\r\n'), 'invalid kind of frame'],
    ])(async (_name, bytes, what) => {
      const { seen, peer, link } = bare()
      peer.write(Buffer.concat([good, bytes, good]))
      await expect.poll(() => seen.log).toEqual(['1:a', violation(what)])
      link.send({ kind: 1, body: 'x' })
      peer.resume().write(good)
      await expect.poll(() => peer.destroyed).toBe(true)
      expect(seen.log).toHaveLength(2)
    }))

  it('ends once it has read what a process had sent before its exit, although another process holds the other end', () =>
    rows([0, 1, 5000, 50_000])(async size => {
      const [link, peer] = takePair()
      const seen = recorder()
      link.receive(seen)
      link.pause()
      const body = 'x'.repeat(size)
      const sent = new StreamLink(peer)
      for (let count = 0; count < 3; count++) sent.send({ kind: 1, body })
      await settled()
      link.finish()
      await settled()
      link.resume()
      await expect.poll(() => seen.log).toEqual([...Array.from({ length: 3 }, () => `1:${body}`), 'closed'])
    }))

  it('ends although another process goes on to send', async () => {
    const [link, peer] = takePair()
    peer.on('error', () => {})
    const seen = recorder()
    link.receive(seen)
    const frame = Buffer.concat([Buffer.from([0, 0, 1, 0, 1]), Buffer.alloc(65_536, 'x')])
    const flood = (): void => void (peer.destroyed || peer.write(frame, flood))
    flood()
    link.finish()
    await expect.poll(() => seen.log.at(-1)).toBe('closed')
  })

  it('drops a frame if the peer ends within it: a process can be killed', () =>
    rows([toBytes(1, '').subarray(0, 3), toBytes(1, '1234', 9), toBytes(5, Buffer.alloc(1e5), 9e6)])(async bytes => {
      const { seen, peer } = bare()
      peer.end(Buffer.concat([good, bytes]))
      await expect.poll(() => seen.log).toEqual(['1:a', 'closed'])
    }))

  it('delivers what a peer sent before it disconnected, even if it cannot be written to any more', async () => {
    const [link, peer] = takePair()
    peer.write(good)
    peer.destroy()
    await once(peer, 'close')
    link.send({ kind: 1, body: 'too late' })
    await settled()
    const seen = recorder()
    link.receive(seen)
    await expect.poll(() => seen.log).toEqual(['1:a', 'closed'])
  })

  it('delivers all frames of a peer that sends more than a pass can take, and disconnects', async () => {
    const { seen, peer } = bare()
    peer.end(Buffer.concat(Array.from({ length: 10_000 }, () => good)))
    await expect.poll(() => seen.log.length).toBe(10_001)
    expect(seen.log.at(-1)).toBe('closed')
  })

  it('takes at most 256 frames in one tick', async () => {
    const [link, peer] = takePair()
    const passes: number[] = []
    let count = 0
    link.receive({ readsImmediately: true, frame: () => count++, closed: () => {} })
    peer.write(Buffer.concat(Array.from({ length: 5000 }, () => good)))
    for (let total = 0; total < 5000; total += count) {
      count = 0
      await nextTick()
      passes.push(count)
    }
    expect(Math.max(...passes)).toBeLessThanOrEqual(256)
  })

  it('reads a bounded number of bytes in one tick, also after it has closed', async () => {
    const { link, peer } = bare()
    const body = Buffer.alloc(2 ** 22)
    for (let i = 0; i < 8; i++) peer.write(toBytes(5, body))
    let last = 0
    const reads: number[] = []
    const { stream } = link as unknown as { stream: Socket }
    for (let tick = 0; tick < 500 && !stream.destroyed; tick++) {
      if (tick === 50) link.close()
      await nextTick()
      reads.push(stream.bytesRead - last)
      last = stream.bytesRead
    }
    expect(Math.max(...reads)).toBeLessThanOrEqual(2 ** 20)
  })

  it('reads a bounded number of bytes while it is paused', async () => {
    const { link, peer, seen } = bare()
    link.pause()
    const frame = toBytes(5, Buffer.alloc(100_000, 'x'))
    for (let i = 0; i < 100; i++) peer.write(frame)
    await settled()
    expect(seen.log).toEqual([])
    expect(peer.writableLength).toBeGreaterThan(85 * frame.length)
    link.resume()
    await expect.poll(() => seen.log.length).toBe(100)
    expect(peer.writableLength).toBe(0)
  })

  it('keeps the order while two links of a thread share its buffer, and one of them is paused', async () => {
    const [one, two] = [bare(), bare()]
    const sent = Array.from({ length: 2000 }, (_, index) => `${index}`.repeat(1 + (index % 40)))
    one.link.pause()
    for (const text of sent) {
      one.peer.write(toBytes(1, text))
      two.peer.write(toBytes(1, text))
      if (text.length > 150) await nextTick()
    }
    await settled()
    one.link.resume()
    const expected = sent.map(text => `1:${text}`)
    await expect.poll(() => [one.seen.log.length, two.seen.log.length]).toEqual([2000, 2000])
    expect(one.seen.log).toEqual(expected)
    expect(two.seen.log).toEqual(expected)
  })

  it('delivers bodies that keep their content, read immediately or not', () =>
    rows([
      [1, false],
      [3, false],
      [2, true],
      [5, true],
    ])(async (kind, readsImmediately) => {
      const [link, peer] = takePair()
      const bodies: Uint8Array[] = []
      link.receive({ readsImmediately, frame: ({ body }) => bodies.push(body as Uint8Array), closed: () => {} })
      const sent = [10, 3000, 5000, 70_000, 300_000, 7].map((size, index) => `${index}`.repeat(size))
      for (const text of sent) peer.write(toBytes(kind, text))
      await expect.poll(() => bodies.length).toBe(sent.length)
      expect(bodies.map(body => Buffer.from(body).toString())).toEqual(sent)
      if (readsImmediately) expect(new Set(bodies.map(({ buffer }) => buffer))).toHaveLength(sent.length)
    }))
})
