// Frames that are larger than a message are sent as fragments, to the byte; no message exceeds the wire's limit.
import { describe, expect, it } from 'vitest'
import { rows } from '../../../../scripts/testing.js'
import { createLinkPair, settle } from '../../test/long/link-pair.js'
import { getDataBytes } from './messages.js'
import { MAX_FRAGMENT_BYTES } from '@sallyport/protocol/internal/wire'

const HEADER = 5
const MAX_PAYLOAD = 300
const ROOM = MAX_PAYLOAD - 24 - 1

/** Sizes around those that fill one, two and three messages, and how many messages these are. */
const SIZES = [1, 2, 3].flatMap(count =>
  [-1, 0, 1].map(more => [count * ROOM + more, more > 0 ? count + 1 : count] as const),
)
it('fragments carry a frame of any size in as few messages as possible', () =>
  rows(SIZES)(async (size, count) => {
    for (const kind of [1, 2, 3, 5] as const)
      for (const asText of [true, false]) {
        const { links, published } = createLinkPair({ maxPayload: MAX_PAYLOAD })
        const received: [number, string][] = []
        links[1].receive({
          frame: frame => received.push([frame.kind, Buffer.from(frame.body).toString()]),
          closed() {},
        })
        const text = Array.from({ length: size - HEADER }, (_, i) => String.fromCharCode(97 + (i % 26))).join('')
        links[0].send({ kind, body: asText ? text : Uint8Array.from(Buffer.from(text)) })
        await settle()
        expect(received).toEqual([[kind, text]])
        expect(published.far).toHaveLength(count)
        for (const message of published.far) expect(message.byteLength).toBeLessThanOrEqual(MAX_PAYLOAD)
        links[0].close()
      }
  }))

describe('fragments', () => {
  it('have 32 KiB at most, and a few bytes at least', () => {
    expect([2 ** 20, 2 ** 14, 300, 0].map(getDataBytes)).toEqual([MAX_FRAGMENT_BYTES, 2 ** 14 - 25, 275, 6])
  })

  it('carry strings that have more bytes than characters', async () => {
    const { links } = createLinkPair({ maxPayload: MAX_PAYLOAD })
    const received: string[] = []
    links[1].receive({ frame: frame => received.push(Buffer.from(frame.body).toString()), closed() {} })
    const texts = [1, 66, 67, 68, 500].map(length => '€😀'.repeat(length))
    for (const body of texts) links[0].send({ kind: 1, body })
    await settle()
    expect(received).toEqual(texts)
    links[0].close()
  })

  it('carry a body as it was when it was sent, even if the caller changes it later', async () => {
    const { links } = createLinkPair()
    const [small, large] = [new Uint8Array(10).fill(1), new Uint8Array(20 * 2 ** 20).fill(1)]
    const received: Uint8Array[] = []
    links[1].receive({ frame: frame => received.push(frame.body as Uint8Array), closed() {} })
    for (const body of [large, small]) {
      links[0].send({ kind: 2, body })
      body.fill(2)
    }
    await expect.poll(() => received.length).toBe(2)
    for (const body of received) expect(body.every(byte => byte === 1)).toBe(true)
    links[0].close()
  })

  it('deliver MessagePack and attachments in buffers of their own', async () => {
    const { links } = createLinkPair()
    const bodies: Uint8Array[] = []
    links[1].receive({ frame: ({ body }) => bodies.push(body as Uint8Array), closed() {} })
    for (const kind of [2, 5] as const) links[0].send({ kind, body: new Uint8Array(100).fill(7) })
    await expect
      .poll(() => bodies.map(({ length, buffer }) => [length, buffer.byteLength]))
      .toEqual([
        [100, 100],
        [100, 100],
      ])
    links[0].close()
  })

  it('are not sent for a frame that the peer would reject', () => {
    const { links } = createLinkPair()
    const body = new Uint8Array(256 * 2 ** 20 + 4097)
    expect(() => links[0].send({ kind: 2, body })).toThrow('is over the limit')
    links[0].close()
  })
})
