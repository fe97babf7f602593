// Ring links within one thread: the behavior of every link, with large and small rings, polling or not.
import { createRingBuffer, openRing, RingWriter } from '../../src/link/ring/ring-buffer.js'
import { RingLink } from '../../src/link/ring/ring-link.js'
import { type ReceivedFrame } from '../../src/wire/link.js'
import { expect, test, describe, it, vi } from 'vitest'
import { type FrameKind } from '../../src/wire/messages.js'
import { choose, rows } from '../../../../scripts/testing.js'
import { SplitLink } from '../../src/link/endpoints.js'
import { linkBehaviour, settle } from '../link-behaviour.js'
import { linkFlow } from '../link-flow.js'
import { createRingPair } from './pair.js'

// Each direction is that of another ring, as for code whose messages pass a gate.
linkBehaviour('a split link', () => {
  const [toFar, fromNear] = createRingPair()
  const [toNear, fromFar] = createRingPair()
  return [new SplitLink(toFar, fromFar), new SplitLink(toNear, fromNear)]
})

for (const [name, options] of choose([
  ['a ring link', {}],
  ['a ring link that never polls', { poll: 'never' }],
  ['a ring link of 32 KiB', { bytes: 2 ** 15 }],
] as const)) {
  linkBehaviour(name, () => createRingPair(options))
  linkFlow(name, () => createRingPair(options))
}

// The memory of received bodies: it belongs to the receiver, unless the receiver reads it immediately.
describe('the memory of received bodies', () => {
  const SIZES = [10, 24_000, 500, 65_528, 65_529, 100_000, 7]

  /** Sends bodies of several sizes. Returns what has arrived, and what each body contained when it was delivered. */
  async function transfer(kind: FrameKind, readsImmediately: boolean) {
    const [near, far] = createRingPair()
    const bodies: Uint8Array[] = []
    const texts: string[] = []
    far.receive({
      readsImmediately,
      frame({ body }) {
        bodies.push(body as Uint8Array)
        texts.push(Buffer.from(body as Uint8Array).toString())
      },
      closed: () => {},
    })
    const sent = SIZES.map((size, index) => String(index).repeat(size))
    for (const text of sent) near.send({ kind, body: Buffer.from(text) })
    await expect.poll(() => bodies.length).toBe(sent.length)
    near.close()
    expect(texts).toEqual(sent)
    const kept = bodies.map(body => Buffer.from(body).toString())
    const buffers = new Set(bodies.map(({ buffer }) => buffer))
    return {
      sent,
      kept,
      buffers: buffers.size,
      isShared: [...buffers].some(buffer => !(buffer instanceof ArrayBuffer)),
    }
  }

  test('a body of any kind keeps its content', () =>
    rows([1, 2, 3, 5] as const)(async kind => {
      const { sent, kept } = await transfer(kind, false)
      expect(kept).toEqual(sent)
    }))

  test('a body that a user can keep has memory of its own in any case', () =>
    rows([2, 5] as const)(async kind => {
      const { sent, kept, buffers } = await transfer(kind, true)
      expect(kept).toEqual(sent)
      expect(buffers).toBe(SIZES.length)
    }))

  test('bodies in one part share memory if they are read immediately', () =>
    rows([1, 3] as const)(async kind => expect((await transfer(kind, true)).buffers).toBe(3)))

  // The codecs, and what opens a record, read each body more than once: its sender must not change it in between.
  test('no body is in memory that its sender can change', () =>
    rows(([1, 2, 3, 5] as const).flatMap(kind => [true, false].map(isRead => [kind, isRead] as const)))(
      async (kind, isRead) => expect((await transfer(kind, isRead)).isShared).toBe(false),
    ))
})

test('the end of a link takes back the timers that kept its threads alive', async () => {
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] })
  try {
    const links = createRingPair()
    const closed = vi.fn<() => void>()
    for (const link of links) link.receive({ frame: () => {}, closed })
    expect(vi.getTimerCount()).toBe(2)
    links[0].close()
    await expect.poll(() => closed.mock.calls.length).toBe(2)
    expect(vi.getTimerCount()).toBe(0)
  } finally {
    vi.useRealTimers()
  }
})

// JSON in ASCII crosses a ring as a string, without UTF-8 on either side.
describe('JSON in ASCII', () => {
  async function transfer(text: string): Promise<ReceivedFrame | undefined> {
    const [near, far] = createRingPair()
    const frames: ReceivedFrame[] = []
    far.receive({ frame: frame => frames.push(frame), closed: () => {} })
    near.send({ kind: 1, body: text })
    await settle()
    near.close()
    return frames[0]
  }

  describe('the text of a JSON frame', () => {
    it('arrives as a string if it is ASCII', () =>
      rows(['', '{"a":"\\u00e9"}', 'x'.repeat(80_000)])(async text =>
        expect(await transfer(text)).toEqual({ kind: 1, body: text }),
      ))

    it('arrives as bytes if it is not', () =>
      rows(['é', `${'x'.repeat(80_000)}€`, '\ud83d\ude00', '\x80'])(async text => {
        const frame = await transfer(text)
        expect(frame?.kind).toBe(1)
        expect(frame?.body).toBeInstanceOf(Uint8Array)
        expect(Buffer.from(frame!.body as Uint8Array).toString()).toBe(text)
      }))

    it('is a valid string of the same length if a hostile peer marks other bytes as ASCII', async () => {
      const [inRing, outRing] = [createRingBuffer(4096), createRingBuffer(4096)]
      const link = new RingLink({ out: outRing, in: inRing, poll: 'never' })
      const frames: ReceivedFrame[] = []
      link.receive({ frame: frame => frames.push(frame), closed: () => {} })
      const writer = new RingWriter(openRing(inRing))
      writer.bytes.set([0xed, 0xa0, 0x80, 0xff], writer.reserve(4))
      writer.publish(0x41, 4, 0)
      writer.wake()
      await settle()
      expect(frames).toEqual([{ kind: 1, body: '\u00ed\u00a0\u0080\u00ff' }])
      link.close()
    })
  })
})
