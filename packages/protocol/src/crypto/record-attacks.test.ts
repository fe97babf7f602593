// Attacks by a carrier of records. It can read their headers, and do nothing with them except deliver each once, in order.
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
