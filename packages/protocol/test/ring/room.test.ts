// Back-pressure: a sender is notified when its full ring has room again, or when its peer is gone.
import { setImmediate as turn } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { rows } from '../../../../scripts/testing.js'
import { RING_BYTES } from '../../src/wire/limits.js'
import { FRAME_KIND } from '../../src/wire/messages.js'
import { createRingPair } from './pair.js'

const body = 'x'.repeat(1000)
const RING = 2 ** 14

function setUp() {
  const [sender, reader] = createRingPair({ bytes: RING })
  sender.receive({ frame() {}, closed() {} })
  let sent = 0
  /** Sends more than fits. */
  const fill = (): void => {
    for (const end = sent + (2 * RING) / body.length; sent < end; sent++) sender.send({ kind: FRAME_KIND.json, body })
  }
  return { sender, reader, fill, sent: () => sent }
}

describe('room', () => {
  it('exists while the ring accepts everything', () => {
    const { sender } = setUp()
    expect(sender.room()).toBeUndefined()
    sender.send({ kind: FRAME_KIND.json, body })
    expect(sender.room()).toBeUndefined()
    sender.close()
  })

  it('exists until as many bytes are in flight as a ring has', () => {
    const [sender] = createRingPair()
    // Each frame has a header of eight bytes.
    const part = new Uint8Array(RING_BYTES / 16 - 8)
    for (let n = 0; n < 16; n++) {
      sender.send({ kind: FRAME_KIND.msgpack, body: part })
      expect(sender.room(), `frame ${n}`).toBeUndefined()
    }
    sender.send({ kind: FRAME_KIND.msgpack, body: new Uint8Array(1) })
    expect(sender.room()).toBeInstanceOf(Promise)
    sender.close()
  })

  it('is awaited while the peer reads nothing, and announced to everyone who waits after it has read', async () => {
    const { sender, reader, fill, sent } = setUp()
    let read = 0
    for (let round = 1; round <= 3; round++) {
      fill()
      const waiting = [sender.room()!, sender.room()!]
      let notified = 0
      for (const room of waiting) void room.then(() => notified++)
      if (round === 1) {
        for (let i = 0; i < 20; i++) await turn()
        expect(notified).toBe(0)
      }
      if (round === 1) reader.receive({ frame: () => void read++, closed() {} })
      await Promise.all(waiting)
      expect(notified).toBe(2)
      expect(sender.room()).toBeUndefined()
    }
    while (read < sent()) await turn()
    sender.close()
  })

  it('is no longer awaited after the sender or the reader has closed', () =>
    rows(['sender', 'reader'] as const)(async end => {
      const ends = setUp()
      ends.fill()
      const room = ends.sender.room()
      if (end === 'sender') {
        ends.sender.close()
        ends.reader.close()
      } else ends.reader.close()
      await room
      expect(ends.sender.room()).toBeUndefined()
    }))
})
