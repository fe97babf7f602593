// JSON in ASCII crosses a ring as a string, without UTF-8 on either side.
import { describe, expect, it } from 'vitest'
import { rows } from '../../../../scripts/testing.js'
import { createRingBuffer, openRing, RingWriter } from '../../src/link/ring/ring-buffer.js'
import { RingLink } from '../../src/link/ring/ring-link.js'
import type { ReceivedFrame } from '../../src/wire/link.js'
import { settle } from '../link-behaviour.js'
import { createRingPair } from './pair.js'

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
