// Authentic messages that violate the protocol: bytes beyond the window, credit for bytes that were never sent, malformed messages and
// frames.
import { BusError } from '@sallyport/protocol/internal/errors'
import { CREDIT_WINDOW_BYTES, MAX_FRAGMENT_BYTES } from '@sallyport/protocol/internal/wire'
import { describe, expect, it, vi } from 'vitest'
import { rows } from '../../../../scripts/testing.js'
import { createBarePeer } from '../../test/long/bare-peer.js'
import { createLinkPair, createSide, seal, settle } from '../../test/long/link-pair.js'
import { getCost } from './messages.js'

const frame = (kind: number, text: string): number[] => [1, text.length, 0, 0, 0, kind, ...Buffer.from(text)]
const credit = (total: number): number[] => {
  const bytes = Buffer.alloc(9, 2)
  bytes.writeDoubleBE(total, 1)
  return [...bytes]
}
const CLOSE = Buffer.from([7])

describe('the link', () => {
  it('ends, and notifies the peer, after a violation of the protocol', () =>
    rows([
      ['an empty message', [], 'a malformed message'],
      ['an unknown type', [8], 'a malformed message'],
      ['a type of zero', [0], 'a malformed message'],
      ['a ping with a body', [5, 0], 'a malformed message'],
      ['a close with a body', [7, 0], 'a malformed message'],
      ['an empty fragment', [1], 'more than it has credit for'],
      ['credit without a total', [2], 'credit for bytes that were not sent'],
      ['credit with a longer body', [...credit(1), 0], 'credit for bytes that were not sent'],
      ['credit before anything was sent', credit(1), 'credit for bytes that were not sent'],
      ['credit of zero', credit(0), 'credit for bytes that were not sent'],
      ['negative credit', credit(-1), 'credit for bytes that were not sent'],
      ['credit that is NaN', credit(Number.NaN), 'credit for bytes that were not sent'],
      ['infinite credit', credit(Number.POSITIVE_INFINITY), 'credit for bytes that were not sent'],
    ])(async (_name, plain, what) => {
      const { seen, say, published, link } = createBarePeer()
      await settle()
      say(frame(1, 'a'), Uint8Array.from(plain), frame(1, 'b'))
      expect(seen.log).toEqual(['1:a', `fault: InvalidRequest: The peer sent ${what}`])
      expect(published).toEqual([CLOSE])
      link.send({ kind: 1, body: 'x' })
      link.close()
      link.fail(new BusError('Disconnected', 'later'))
      await settle()
      expect([seen.log.length, published.length]).toEqual([2, 1])
    }))

  it('ends after a violation in the first messages', () =>
    rows([
      ['invalid kind of frame', [1, 1, 0, 0, 0, 6, 1]],
      ['a frame out of bounds', [1, 0, 0, 0, 0x20, 1]],
    ])((what, plain) => {
      const { seen, say, published } = createBarePeer()
      // Within the same tick, in which the receiver was set.
      say(Uint8Array.from(plain))
      expect(seen.log).toEqual([`fault: InvalidRequest: The peer violated the stream protocol: ${what}`])
      expect(published).toEqual([CLOSE])
    }))

  it('ends after messages were lost', () => {
    const { seen, link } = createBarePeer()
    const peer = createSide('frontend')
    seal(peer, new Uint8Array(1))
    link.handleMessage(seal(peer, Uint8Array.from(frame(1, 'a'))))
    expect(seen.log).toEqual(['fault: InvalidRequest: Messages of the session were lost'])
  })

  it('ends after a fragment that is too large', () => {
    const { seen, say } = createBarePeer()
    say(new Uint8Array(MAX_FRAGMENT_BYTES + 2).fill(1))
    expect(seen.log).toEqual(['fault: InvalidRequest: The peer sent more than it has credit for'])
  })

  it('lets the peer fill its window while the receiver is paused, and ends when the peer exceeds it', () => {
    const { seen, say, link } = createBarePeer()
    link.pause()
    const fragment = Uint8Array.from([1, ...new Uint8Array(30_000)])
    const fits = Math.ceil(CREDIT_WINDOW_BYTES / getCost(30_000))
    for (let i = 0; i < fits; i++) say(fragment)
    expect(seen.log).toEqual([])
    say(fragment)
    expect(seen.log).toEqual(['fault: InvalidRequest: The peer sent more than it has credit for'])
  })

  it('drops and reports forged messages, and goes on', () => {
    const dropped = vi.fn<() => void>()
    const opened = vi.fn<() => void>()
    const { seen, say, link } = createBarePeer({ dropped, opened })
    for (let i = 0; i < 3; i++) link.handleMessage(new Uint8Array(i * 20))
    expect([dropped.mock.calls.length, opened.mock.calls.length]).toEqual([3, 0])
    say(frame(1, 'a'))
    expect(opened).toHaveBeenCalledTimes(1)
    expect(seen.log).toEqual(['1:a'])
    link.close()
  })

  it('sends no more than a window to a peer that is paused', async () => {
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
