// Attacks that combine several genuine records: parts of one in another, exchanged attachments, and any mix with the attacks of
// record-attacks.test.ts. The opened records are always a prefix of the sealed ones.
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { rows } from '../../../../scripts/testing.js'
import { createTestOpener, createTestSealer, secret, text } from '../../test/record-ends.js'
import { FRAME_KIND } from '../wire/messages.js'
import type { Opener } from './record.js'

const COMMANDS = ['read', 'wipe', 'list', 'send'].map(method => `{"jsonrpc":"2.0","id":1,"method":"${method}"}`)
/** Returns the begin and end of each field of a record of `size` bytes. */
const getFields = (size: number): Record<string, [from: number, to: number]> => ({
  version: [0, 4],
  count: [4, 8],
  epoch: [8, 12],
  sequence: [12, 16],
  session: [16, 32],
  length: [32, 36],
  ciphertext: [36, size - 16],
  tag: [size - 16, size],
})

const sealAll = (over: Parameters<typeof createTestSealer>[0] = {}): Buffer[] => {
  const sealer = createTestSealer(over)
  return COMMANDS.map((command, i) => Buffer.from(sealer.seal(FRAME_KIND.json, command, i + 1)))
}

function refuses(opener: Opener, ...records: Uint8Array[]): void {
  for (const record of records) expect(() => opener.open(record)).toThrow('A record was refused')
}

describe('an opener rejects', () => {
  it('a header, ciphertext or tag of another record', () => {
    const all = sealAll()
    const [read, wipe] = [all[0]!, all[1]!]
    for (const cut of [36, read.length - 16]) {
      refuses(createTestOpener(), Buffer.concat([read.subarray(0, cut), wipe.subarray(cut)]), read, wipe)
      refuses(createTestOpener(), Buffer.concat([wipe.subarray(0, cut), read.subarray(cut)]), read, wipe)
    }
  })

  it('any fields replaced by those of another command, place or session', () =>
    rows({
      'another command of the session': {},
      'the same place in another session': { session: Buffer.from('another session!') },
      'the same place under another secret': { secret: Buffer.alloc(32, 3) },
      'the same place in another direction': { direction: 'to frontend' },
      'the same place in another epoch': { epoch: 1 },
    })(over => {
      const [ours, theirs] = [sealAll(), sealAll(over)]
      const from = over === undefined || Object.keys(over).length === 0 ? theirs[1]! : theirs[0]!
      const due = ours[0]!
      const fields = getFields(due.length)
      fc.assert(
        fc.property(fc.subarray(Object.keys(fields), { minLength: 1 }), names => {
          const forged = Buffer.from(due)
          for (const name of names) from.copy(forged, fields[name]![0], ...fields[name]!)
          fc.pre(!forged.equals(due))
          refuses(createTestOpener(), forged, due)
        }),
      )
    }))

  it('the attachment of another message, with its own number or that of the replaced one', () => {
    const seal = (): Buffer[] => {
      const sealer = createTestSealer()
      const bytes = (fill: number): Uint8Array => new Uint8Array(2 ** 16 + 1).fill(fill)
      return [
        sealer.seal(FRAME_KIND.bytes, bytes(1), 0),
        sealer.seal(FRAME_KIND.msgpack, 'the first message', 1),
        sealer.seal(FRAME_KIND.bytes, bytes(2), 0),
        sealer.seal(FRAME_KIND.msgpack, 'the second message', 1),
      ].map(record => Buffer.from(record))
    }
    const [bytes1, message1, bytes2, message2] = seal() as [Buffer, Buffer, Buffer, Buffer]
    refuses(createTestOpener(), bytes2, message1, bytes1, message2)
    const renumbered = Buffer.concat([bytes1.subarray(0, 36), bytes2.subarray(36)])
    refuses(createTestOpener(), renumbered, message1)
    const opener = createTestOpener()
    opener.open(bytes1)
    refuses(opener, message2, message1)
  })
})

type Act = { what: 'next' | 'again' | 'skip' | 'flip' | 'cut' | 'extend' | 'foreign'; at: number }
const act: fc.Arbitrary<Act> = fc.record({
  what: fc.constantFrom('next', 'next', 'next', 'next', 'again', 'skip', 'flip', 'cut', 'extend', 'foreign'),
  at: fc.nat(10_000),
})

it('opens a prefix of the sealed records, and nothing after the first manipulation, whatever the carrier mixes', () => {
  fc.assert(
    fc.property(fc.array(act, { maxLength: 12 }), fc.integer({ min: 1, max: 3 }), (acts, records) => {
      const limits = { records }
      const [sealer, opener] = [createTestSealer({ limits }), createTestOpener({ limits })]
      const stranger = createTestSealer({ limits, secret: Buffer.from(secret).reverse() })
      const seal = (by: typeof sealer, i: number): Buffer => Buffer.from(by.seal(1, `message ${i}`, 1))
      const ours = acts.map((_, i) => seal(sealer, i))
      const theirs = acts.map((_, i) => seal(stranger, i))
      const taken: string[] = []
      let honest = 0
      let place = 0
      let offended = false
      for (const { what, at } of acts) {
        let record = ours[what === 'again' ? place - 1 : what === 'skip' ? place + 1 : place]
        if (what === 'foreign') record = theirs[place]
        if (!record) continue
        if (what === 'flip')
          record = Buffer.from(record.map((byte, i) => (i === at % record!.length ? byte ^ 1 : byte)))
        if (what === 'cut') record = record.subarray(0, at % record.length)
        if (what === 'extend') record = Buffer.concat([record, Buffer.alloc(1 + (at % 20))])
        if (what === 'next') place++
        else offended = true
        if (!offended) honest++
        try {
          taken.push(text(opener, record))
        } catch {}
      }
      expect(taken).toEqual(Array.from({ length: honest }, (_, i) => `message ${i}`))
    }),
    { numRuns: 500 },
  )
})
