// The memory of received bodies: it belongs to the receiver, unless the receiver reads it immediately. And what a link leaves behind.
import { expect, test, vi } from 'vitest'
import { rows } from '../../../../scripts/testing.js'
import type { FrameKind } from '../../src/wire/messages.js'
import { createRingPair } from './pair.js'

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
  return { sent, kept, buffers: buffers.size, isShared: [...buffers].some(buffer => !(buffer instanceof ArrayBuffer)) }
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
