// What a peer may say, authentic as it is, and what is a fault of its: bytes beyond its window, credit for what was never sent,
// messages and frames that are none.
import { BusError, CREDIT_WINDOW_BYTES } from '@sallyport/protocol'
import { describe, expect, it, vi } from 'vitest'
import { settle } from '../../../protocol/test/link-behaviour.js'
import { createBarePeer } from '../../test/bare-peer.js'
import { createLinkPair, protectionOf } from '../../test/link-pair.js'
import { getCost, MAX_DATA_BYTES } from './fragmentation.js'

const frame = (kind: number, text: string): number[] => [1, text.length, 0, 0, 0, kind, ...Buffer.from(text)]
const credit = (total: number): number[] => {
  const bytes = Buffer.alloc(9, 2)
  bytes.writeDoubleBE(total, 1)
  return [...bytes]
}
const CLOSE = Buffer.from([7])

describe('a peer of a NATS link', () => {
  it.each([
    ['nothing', [], 'a message that is none'],
    ['an unknown type', [8], 'a message that is none'],
    ['a type of zero', [0], 'a message that is none'],
    ['a ping with more behind it', [5, 0], 'a message that is none'],
    ['an end with more behind it', [7, 0], 'a message that is none'],
    ['a piece of nothing', [1], 'more than it has credit for'],
    ['credit without a number', [2], 'credit for what was never sent'],
    ['credit that is too long', [...credit(1), 0], 'credit for what was never sent'],
    ['credit never used', credit(1), 'credit for what was never sent'],
    ['credit of nothing', credit(0), 'credit for what was never sent'],
    ['credit below zero', credit(-1), 'credit for what was never sent'],
    ['credit that is no number', credit(Number.NaN), 'credit for what was never sent'],
    ['endless credit', credit(Number.POSITIVE_INFINITY), 'credit for what was never sent'],
  ])('that sends %s is at fault: it is told, and the link ends', async (_name, plain, what) => {
    const { seen, say, published, link } = createBarePeer()
    await settle()
    say(frame(1, 'a'), plain, frame(1, 'b'))
    expect(seen.log).toEqual(['1:a', `fault: InvalidRequest: The peer sent ${what}`])
    expect(published).toEqual([CLOSE])
    link.send({ kind: 1, body: 'x' })
    link.close()
    link.lost(new BusError('Disconnected', 'later'))
    await settle()
    expect([seen.log.length, published.length]).toEqual([2, 1])
  })

  it.each([
    ['a kind of frame that is none', [1, 1, 0, 0, 0, 6, 1]],
    ['a frame out of bounds', [1, 0, 0, 0, 0x20, 1]],
  ])('that sends %s is at fault', (what, plain) => {
    const { seen, say, published } = createBarePeer()
    // A turn has not passed, and the receiver is there all the same.
    say(plain)
    expect(seen.log).toEqual([`fault: InvalidRequest: The peer broke the stream: ${what}`])
    expect(published).toEqual([CLOSE])
  })

  it('that loses messages is at fault', () => {
    const { seen, link } = createBarePeer()
    const peer = protectionOf('frontend')
    peer.seal(new Uint8Array(1))
    link.take(peer.seal(Uint8Array.from(frame(1, 'a'))))
    expect(seen.log).toEqual(['fault: InvalidRequest: Messages of the session were lost'])
  })

  it('that sends a piece over the bound is at fault', () => {
    const { seen, say } = createBarePeer()
    say(new Uint8Array(MAX_DATA_BYTES + 2).fill(1))
    expect(seen.log).toEqual(['fault: InvalidRequest: The peer sent more than it has credit for'])
  })

  it('may fill its window while nothing is taken, and is at fault beyond it', () => {
    const { seen, say, link } = createBarePeer()
    link.pause()
    const piece = Uint8Array.from([1, ...new Uint8Array(100_000)])
    const fits = Math.ceil(CREDIT_WINDOW_BYTES / getCost(100_000))
    for (let i = 0; i < fits; i++) say(piece)
    expect(seen.log).toEqual([])
    say(piece)
    expect(seen.log).toEqual(['fault: InvalidRequest: The peer sent more than it has credit for'])
  })

  it('is dropped where it is none: whoever forges is counted, and ends nothing', () => {
    const dropped = vi.fn<() => void>()
    const opened = vi.fn<() => void>()
    const { seen, say, link } = createBarePeer({ dropped, opened })
    for (let i = 0; i < 3; i++) link.take(new Uint8Array(i * 20))
    expect([dropped.mock.calls.length, opened.mock.calls.length]).toEqual([3, 0])
    say(frame(1, 'a'))
    expect(opened).toHaveBeenCalledTimes(1)
    expect(seen.log).toEqual(['1:a'])
    link.close()
  })

  it('that ends within a frame has gone', () => {
    const { seen, say } = createBarePeer()
    say([1, 9, 0, 0, 0, 1, 1, 2], [7])
    expect(seen.log).toEqual(['fault: Disconnected: The peer has gone within a frame'])
  })

  it('costs no more than its window where it takes nothing', async () => {
    const { links, published } = createLinkPair()
    const [near, far] = links
    far.receive({ frame() {}, closed() {} })
    far.pause()
    for (let i = 0; i < 400; i++) near.send({ kind: 5, body: new Uint8Array(65_536) })
    await settle()
    const bytes = published.far.reduce((sum, message) => sum + getCost(message.byteLength), 0)
    expect(bytes).toBeLessThanOrEqual(CREDIT_WINDOW_BYTES + getCost(65_536 + 50))
    expect(near.queued).toBeGreaterThan(400 * 65_536)
    far.resume()
    await near.room()
    expect(near.room()).toBeUndefined()
    near.close()
  })
})
