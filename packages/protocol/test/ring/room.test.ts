// Back-pressure: a sender learns that its ring is full, and when it no longer is; a peer that never reads, or that is gone,
// leaves nobody waiting.
import { setImmediate as turn } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { FRAME_KIND } from '../../src/wire/link.js'
import { createRingPair } from './pair.js'

const body = 'x'.repeat(1000)
const RING = 2 ** 14

function setUp() {
  const [sender, reader] = createRingPair(RING)
  sender.receive({ frame() {}, closed() {} })
  let sent = 0
  /** More than fits. */
  const fill = (): void => {
    for (const end = sent + (2 * RING) / body.length; sent < end; sent++) sender.send({ kind: FRAME_KIND.json, body })
  }
  return { sender, reader, fill, sent: () => sent }
}

describe('room', () => {
  it('is there while the ring takes all', () => {
    const { sender } = setUp()
    expect(sender.room()).toBeUndefined()
    sender.send({ kind: FRAME_KIND.json, body })
    expect(sender.room()).toBeUndefined()
    sender.close()
  })

  it('is waited for while the peer reads nothing, and told once it has read, to all who ask', async () => {
    const { sender, reader, fill, sent } = setUp()
    let read = 0
    for (let round = 1; round <= 3; round++) {
      fill()
      const waiting = [sender.room()!, sender.room()!]
      let told = 0
      for (const room of waiting) void room.then(() => told++)
      if (round === 1) {
        for (let i = 0; i < 20; i++) await turn()
        expect(told).toBe(0)
      }
      if (round === 1) reader.receive({ frame: () => void read++, closed() {} })
      await Promise.all(waiting)
      expect(told).toBe(2)
      expect(sender.room()).toBeUndefined()
    }
    while (read < sent()) await turn()
    sender.close()
  })

  it.each(['sender', 'reader'] as const)('is no longer waited for where the %s closes', async end => {
    const ends = setUp()
    ends.fill()
    const room = ends.sender.room()
    if (end === 'sender') {
      ends.sender.close()
      ends.reader.close()
    } else ends.reader.close()
    await room
    expect(ends.sender.room()).toBeUndefined()
  })
})
