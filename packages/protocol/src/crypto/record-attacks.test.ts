// What a record must withstand: whoever carries it may read its header, and can do nothing with it but deliver it
// once, in order, in time. Each attack has a test by name.
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { NOW, openerOf, sealed, sealerOf, secret, session, text } from '../../test/record-ends.js'
import { isBusError } from '../errors/bus-error.js'
import { createSessionSecret } from './key-schedule.js'
import type { Opener } from './record.js'

/** The record is refused, with the text of all refusals, and so is then the one that was due. */
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

describe('an opener refuses, and closes at', () => {
  it('a bit flipped anywhere: header, ciphertext, tag', () => {
    const record = sealed('a body')
    fc.assert(
      fc.property(fc.constantFrom(...record.keys()), fc.integer({ min: 0, max: 7 }), (at, bit) => {
        const flipped = Buffer.from(record)
        flipped[at] = (flipped[at] ?? 0) ^ (1 << bit)
        expectRefused(openerOf(), flipped, record)
        expectRefused(openerOf({ maxRecordAge: Infinity }), flipped, record)
      }),
      { numRuns: 200 },
    )
    for (let at = 0; at < record.length; at++) {
      const flipped = Buffer.from(record)
      flipped[at] = (flipped[at] ?? 0) ^ 0x80
      expectRefused(openerOf({ maxRecordAge: Infinity }), flipped, record)
    }
  })

  it('a replay', () => {
    const [sealer, opener] = [sealerOf(), openerOf()]
    const [one, two] = [sealer.seal(1, 'one', 1), sealer.seal(1, 'two', 1)]
    expect(text(opener, one)).toBe('one')
    expectRefused(opener, one, two)
  })

  it('a replay after others', () => {
    const [sealer, opener] = [sealerOf(), openerOf()]
    const [one, two, three] = [sealer.seal(1, 'one', 1), sealer.seal(1, 'two', 1), sealer.seal(1, 'three', 1)]
    expect([text(opener, one), text(opener, two)]).toEqual(['one', 'two'])
    expectRefused(opener, one, three)
  })

  it('another order', () => {
    const sealer = sealerOf()
    const [one, two] = [sealer.seal(1, 'one', 1), sealer.seal(1, 'two', 1)]
    expectRefused(openerOf(), two, one)
  })

  it('a record that is missing', () => {
    const [sealer, opener] = [sealerOf(), openerOf()]
    opener.open(sealer.seal(1, 'one', 1))
    const [dropped, next] = [sealer.seal(1, 'two', 1), sealer.seal(1, 'three', 1)]
    expectRefused(opener, next, dropped)
  })

  it('any order but that of sealing', () => {
    fc.assert(
      fc.property(
        fc.array(fc.nat(5), { minLength: 1, maxLength: 8 }),
        fc.integer({ min: 1, max: 4 }),
        (order, records) => {
          const [sealer, opener] = [sealerOf({ limits: { records } }), openerOf({ limits: { records } })]
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
    for (let size = 0; size < record.length; size++) expectRefused(openerOf(), record.subarray(0, size), record)
  })

  it('a short tag, with a header that agrees', () => {
    const record = sealed('a body, long enough')
    for (let cut = 1; cut <= 15; cut++) {
      const short = Buffer.from(record.subarray(0, record.length - cut))
      short.writeUInt32BE(record.readUInt32BE(40) - cut, 40)
      expectRefused(openerOf(), short, record)
    }
  })

  it('an extension, at either end and before the tag', () => {
    const record = sealed('a body')
    const extra = Buffer.alloc(1)
    expectRefused(openerOf(), Buffer.concat([record, extra]), record)
    expectRefused(openerOf(), Buffer.concat([extra, record]), record)
    expectRefused(openerOf(), Buffer.concat([record.subarray(0, -16), extra, record.subarray(-16)]), record)
    expectRefused(openerOf(), Buffer.concat([record, record]), record)
  })

  it('anything that is no record', () => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 200 }), bytes => expectRefused(openerOf(), bytes, sealed())))
  })

  it('a header of its own making', () => {
    const record = sealed('a body')
    fc.assert(
      fc.property(fc.constantFrom(4, 8, 12, 16, 20, 40), fc.integer({ min: 0, max: 0xffffffff }), (at, value) => {
        fc.pre(record.readUInt32BE(at) !== value)
        const forged = Buffer.from(record)
        forged.writeUInt32BE(value, at)
        expectRefused(openerOf({ maxRecordAge: Infinity }), forged, record)
      }),
    )
  })

  it('a record of another session', () => {
    const other = Buffer.from('another session!')
    expectRefused(openerOf(), sealed('body', { session: other }), sealed())
    expectRefused(openerOf(), sealed('body', { session: other, secret: createSessionSecret(secret, other) }), sealed())
    const renamed = sealed('body', { session: other })
    session.copy(renamed, 24)
    expectRefused(openerOf(), renamed, sealed())
  })

  it('a record of another secret', () => {
    expectRefused(openerOf(), sealed('body', { secret: Buffer.alloc(32, 3) }), sealed())
  })

  it('a record sent back to its sender', () => {
    expectRefused(openerOf({ direction: 'to frontend' }), sealed(), sealed('body', { direction: 'to frontend' }))
  })

  it('a record of another epoch, under its own number or ours', () => {
    const later = sealed('body', { epoch: 1 })
    expectRefused(openerOf(), later, sealed())
    expectRefused(openerOf({ epoch: 1 }), sealed(), later)
    later.writeUInt32BE(0, 8)
    expectRefused(openerOf(), later, sealed())
  })

  it('a record that was kept too long, or comes from the future', () => {
    for (const age of [30_001, -30_001, 10 ** 9, -(10 ** 9)]) {
      expectRefused(openerOf({ now: () => NOW + age }), sealed(), sealed('body', { now: () => NOW + age }))
    }
    for (const age of [30_000, 0, -30_000]) expect(text(openerOf({ now: () => NOW + age }), sealed())).toBe('body')
    expectRefused(openerOf({ now: () => NOW + 6, maxRecordAge: 5 }), sealed(), sealed('body', { now: () => NOW + 6 }))
    expect(text(openerOf({ now: () => NOW * 2, maxRecordAge: Infinity }), sealed())).toBe('body')
  })

  it('a clock that fails', () => {
    expectRefused(openerOf({ now: () => NaN }), sealed(), sealed())
    const broken = openerOf({
      now: () => {
        throw new Error('no clock, and a secret')
      },
    })
    expectRefused(broken, sealed(), sealed())
  })
})

describe('a new epoch', () => {
  it('is not followed before its time, nor after it', () => {
    const early = sealerOf({ limits: { records: 1 } })
    const usual = sealerOf({ limits: { records: 2 } })
    const opener = openerOf({ limits: { records: 2 } })
    expect(text(opener, early.seal(1, 'one', 1))).toBe('one')
    usual.seal(1, 'one', 1)
    expectRefused(opener, early.seal(1, 'two', 1), usual.seal(1, 'two', 1))

    const late = sealerOf()
    const next = openerOf({ limits: { records: 1 } })
    expect(text(next, late.seal(1, 'one', 1))).toBe('one')
    expectRefused(next, late.seal(1, 'two', 1), early.seal(1, 'two', 1))
  })

  it('takes no record of the one before', () => {
    const limits = { records: 1 }
    const [sealer, opener] = [sealerOf({ limits }), openerOf({ limits })]
    const [one, two] = [sealer.seal(1, 'one', 1), sealer.seal(1, 'two', 1)]
    opener.open(one)
    expectRefused(opener, one, two)
  })

  it('does not follow the last one', () => {
    const over = { epoch: 2 ** 32 - 1, limits: { records: 2 } }
    const [sealer, opener] = [sealerOf(over), openerOf(over)]
    const records = [sealer.seal(1, 'one', 1), sealer.seal(1, 'two', 1)]
    expect(records.map(record => text(opener, record))).toEqual(['one', 'two'])
    expect(() => sealer.seal(1, 'three', 1)).toThrow('used up')
    expectRefused(opener, sealed('three', { epoch: 0 }), records[0] ?? sealed())
  })
})
