// Frames that are larger than a message go in parts, to the byte; none is over what the wire lets through.
import { describe, expect, it } from 'vitest'
import { createLinkPair } from '../../test/link-pair.js'
import { getDataBytes, MAX_DATA_BYTES } from './fragmentation.js'

const HEADER = 5
const MAX_PAYLOAD = 300
const ROOM = MAX_PAYLOAD - 24 - 1

describe.each([false, true])('parts, encrypted: %s', cipher => {
  it.each(
    [1, 2, 3].flatMap(parts => [-1, 0, 1].map(more => [parts * ROOM + more, more > 0 ? parts + 1 : parts] as const)),
  )('carries a frame of %i bytes in %i messages', async (size, parts) => {
    for (const kind of [1, 2, 3, 5] as const)
      for (const asText of [true, false]) {
        const { links, published } = createLinkPair({ cipher, maxPayload: MAX_PAYLOAD })
        const got: [number, string][] = []
        links[1].receive({ frame: frame => got.push([frame.kind, Buffer.from(frame.body).toString()]), closed() {} })
        const text = Array.from({ length: size - HEADER }, (_, i) => String.fromCharCode(97 + (i % 26))).join('')
        links[0].send({ kind, body: asText ? text : Uint8Array.from(Buffer.from(text)) })
        await expect.poll(() => got).toEqual([[kind, text]])
        expect(published.far).toHaveLength(parts)
        for (const message of published.far) expect(message.byteLength).toBeLessThanOrEqual(MAX_PAYLOAD)
        links[0].close()
      }
  })
})

describe('parts', () => {
  it('are of a mebibyte at most, and of a few bytes at least', () => {
    expect([2 ** 30, 2 ** 20, 300, 0].map(getDataBytes)).toEqual([MAX_DATA_BYTES, 2 ** 20 - 25, 275, 6])
  })

  it('carry text of more bytes than letters', async () => {
    const { links } = createLinkPair({ maxPayload: MAX_PAYLOAD })
    const got: string[] = []
    links[1].receive({ frame: frame => got.push(Buffer.from(frame.body).toString()), closed() {} })
    const texts = [1, 66, 67, 68, 500].map(length => '€😀'.repeat(length))
    for (const body of texts) links[0].send({ kind: 1, body })
    await expect.poll(() => got).toEqual(texts)
    links[0].close()
  })

  it('of a frame that is not the link’s own are what it was when it was sent', async () => {
    const { links } = createLinkPair()
    const [small, large] = [new Uint8Array(10).fill(1), new Uint8Array(20 * 2 ** 20).fill(1)]
    const got: Uint8Array[] = []
    links[1].receive({ frame: frame => got.push(frame.body), closed() {} })
    for (const body of [large, small]) {
      links[0].send({ kind: 2, body })
      body.fill(2)
    }
    await expect.poll(() => got.length, { timeout: 10_000 }).toBe(2)
    for (const body of got) expect(body.every(byte => byte === 1)).toBe(true)
    links[0].close()
  })

  it('give msgpack and attachments a buffer of their own', async () => {
    const { links } = createLinkPair()
    const bodies: Uint8Array[] = []
    links[1].receive({ frame: ({ body }) => bodies.push(body), closed() {} })
    for (const kind of [2, 5] as const) links[0].send({ kind, body: new Uint8Array(100).fill(7) })
    await expect
      .poll(() => bodies.map(({ length, buffer }) => [length, buffer.byteLength]))
      .toEqual([
        [100, 100],
        [100, 100],
      ])
    links[0].close()
  })

  it('refuses to send what its peer would take for a fault', () => {
    const { links } = createLinkPair()
    const body = new Uint8Array(256 * 2 ** 20 + 4097)
    expect(() => links[0].send({ kind: 2, body })).toThrow('is over the limit')
    links[0].close()
  })
})
