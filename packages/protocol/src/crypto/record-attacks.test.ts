// Attacks by a carrier of records. It can read their headers, and do nothing with them except deliver each once, in order.
import { rows } from '../../../../scripts/testing.js'
import { FRAME_KIND } from '../wire/messages.js'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { createTestOpener, createTestSealer, sealed, secret, session, text } from '../../test/record-ends.js'
import { isBusError } from '../errors/bus-error.js'
import { createCipher, createKeySchedule, createSessionSecret, encrypt, type Opener } from './record.js'

/** Expects the record to be rejected with the only error text, and the expected record after it too. */
function expectRefused(opener: Opener, record: Uint8Array, due: Uint8Array): void {
  for (const bytes of [record, due, record]) {
    let error: unknown
    try {
      opener.open(bytes)
    } catch (caught) {
      error = caught
    }
    expect(isBusError(error, 'InvalidRequest')).toBe(true)
    expect(error).toMatchObject({ message: 'A record was refused, and its session is closed', data: undefined })
    expect((error as Error).cause).toBeUndefined()
  }
}

describe('an opener rejects and closes for', () => {
  it('a flipped bit in the header, the ciphertext or the tag', () => {
    const record = sealed('a body')
    fc.assert(
      fc.property(fc.constantFrom(...record.keys()), fc.integer({ min: 0, max: 7 }), (at, bit) => {
        const flipped = Buffer.from(record)
        flipped[at] = (flipped[at] ?? 0) ^ (1 << bit)
        expectRefused(createTestOpener(), flipped, record)
      }),
      { numRuns: 200 },
    )
    for (let at = 0; at < record.length; at++) {
      const flipped = Buffer.from(record)
      flipped[at] = (flipped[at] ?? 0) ^ 0x80
      expectRefused(createTestOpener(), flipped, record)
    }
  })

  it('any order other than that of sealing', () => {
    fc.assert(
      fc.property(
        fc.array(fc.nat(5), { minLength: 1, maxLength: 8 }),
        fc.integer({ min: 1, max: 4 }),
        (order, records) => {
          const [sealer, opener] = [
            createTestSealer({ limits: { records } }),
            createTestOpener({ limits: { records } }),
          ]
          const all = Array.from({ length: 6 }, (_, i) => sealer.seal(1, `${i}`, 1))
          const wanted = order.findIndex((index, place) => index !== place)
          const taken: string[] = []
          for (const index of order) {
            try {
              taken.push(text(opener, all[index] ?? new Uint8Array()))
            } catch {}
          }
          expect(taken).toEqual(order.slice(0, wanted === -1 ? order.length : wanted).map(String))
        },
      ),
    )
  })

  it('every truncation', () => {
    const record = sealed('a body')
    for (let size = 0; size < record.length; size++) expectRefused(createTestOpener(), record.subarray(0, size), record)
  })

  it('a short tag with a matching header', () => {
    const record = sealed('a body, long enough')
    for (let cut = 1; cut <= 15; cut++) {
      const short = Buffer.from(record.subarray(0, record.length - cut))
      short.writeUInt32BE(record.readUInt32BE(32) - cut, 32)
      expectRefused(createTestOpener(), short, record)
    }
  })

  it('a record without a kind by the holder of the keys', () => {
    const { key, nonce } = createKeySchedule({ secret, session, direction: 'to core' }).next()
    const empty = sealed('').subarray(0, 52)
    empty.writeUInt32BE(0, 32)
    encrypt(createCipher(key, nonce), empty.subarray(0, 36), [], empty.subarray(36))
    expectRefused(createTestOpener(), empty, sealed())
  })

  it('additional bytes at either end or before the tag', () => {
    const record = sealed('a body')
    const extra = Buffer.alloc(1)
    expectRefused(createTestOpener(), Buffer.concat([record, extra]), record)
    expectRefused(createTestOpener(), Buffer.concat([extra, record]), record)
    expectRefused(createTestOpener(), Buffer.concat([record.subarray(0, -16), extra, record.subarray(-16)]), record)
    expectRefused(createTestOpener(), Buffer.concat([record, record]), record)
  })

  it('random bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), bytes => expectRefused(createTestOpener(), bytes, sealed())),
    )
  })

  it('a forged header', () => {
    const record = sealed('a body')
    fc.assert(
      fc.property(fc.constantFrom(4, 8, 12, 16, 20, 32), fc.integer({ min: 0, max: 0xffffffff }), (at, value) => {
        fc.pre(record.readUInt32BE(at) !== value)
        const forged = Buffer.from(record)
        forged.writeUInt32BE(value, at)
        expectRefused(createTestOpener(), forged, record)
      }),
    )
  })

  it('a record of another session', () => {
    const other = Buffer.from('another session!')
    expectRefused(createTestOpener(), sealed('body', { session: other }), sealed())
    expectRefused(
      createTestOpener(),
      sealed('body', { session: other, secret: createSessionSecret(secret, other) }),
      sealed(),
    )
    const renamed = sealed('body', { session: other })
    session.copy(renamed, 16)
    expectRefused(createTestOpener(), renamed, sealed())
  })

  it('a record of another secret', () => {
    expectRefused(createTestOpener(), sealed('body', { secret: Buffer.alloc(32, 3) }), sealed())
  })

  it('a record sent back to its sender', () => {
    expectRefused(
      createTestOpener({ direction: 'to frontend' }),
      sealed(),
      sealed('body', { direction: 'to frontend' }),
    )
  })

  it('a record of another epoch, with its own number or the expected one', () => {
    const later = sealed('body', { epoch: 1 })
    expectRefused(createTestOpener(), later, sealed())
    expectRefused(createTestOpener({ epoch: 1 }), sealed(), later)
    later.writeUInt32BE(0, 8)
    expectRefused(createTestOpener(), later, sealed())
  })
})

describe('a new epoch', () => {
  it('is accepted neither early nor late', () => {
    const early = createTestSealer({ limits: { records: 1 } })
    const usual = createTestSealer({ limits: { records: 2 } })
    const opener = createTestOpener({ limits: { records: 2 } })
    expect(text(opener, early.seal(1, 'one', 1))).toBe('one')
    usual.seal(1, 'one', 1)
    expectRefused(opener, early.seal(1, 'two', 1), usual.seal(1, 'two', 1))

    const late = createTestSealer()
    const next = createTestOpener({ limits: { records: 1 } })
    expect(text(next, late.seal(1, 'one', 1))).toBe('one')
    expectRefused(next, late.seal(1, 'two', 1), early.seal(1, 'two', 1))
  })

  it('rejects a record of the previous one', () => {
    const limits = { records: 1 }
    const [sealer, opener] = [createTestSealer({ limits }), createTestOpener({ limits })]
    const [first, second] = [sealer.seal(1, 'one', 1), sealer.seal(1, 'two', 1)]
    opener.open(first)
    expectRefused(opener, first, second)
  })

  it('cannot follow the last one', () => {
    const over = { epoch: 2 ** 32 - 1, limits: { records: 2 } }
    const [sealer, opener] = [createTestSealer(over), createTestOpener(over)]
    const records = [sealer.seal(1, 'one', 1), sealer.seal(1, 'two', 1)]
    expect(records.map(record => text(opener, record))).toEqual(['one', 'two'])
    expect(() => sealer.seal(1, 'three', 1)).toThrow('used up')
    expectRefused(opener, sealed('three', { epoch: 0 }), records[0] ?? sealed())
  })
})

// Attacks that combine several genuine records: parts of one in another, exchanged attachments, and any mix with the attacks of
// record-attacks.test.ts. The opened records are always a prefix of the sealed ones.
describe('several genuine records', () => {
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
})
