// Fuzzing with random bytes and mutated frames: the codec throws a ParseError or reads what a second reader reads.
// It never crashes, never hangs, and never accepts another extension.
import fc from 'fast-check'
import { Packr } from 'msgpackr/pack'
import { describe, expect, it } from 'vitest'
import { readMsgpack, sameStructure } from '../../test/read-msgpack.js'
import { BusError } from '../errors/bus-error.js'
import { msgpackCodec } from './msgpack.js'

const before = Reflect.ownKeys(Object.prototype)

let accepted = 0
let refused = 0

function check(bytes: Uint8Array): void {
  let value: unknown
  try {
    value = msgpackCodec.decode(bytes)
  } catch (error) {
    refused++
    if (error instanceof BusError && error.reason === 'ParseError') return
    throw error
  }
  accepted++
  const expected = readMsgpack(bytes)
  if (!sameStructure(expected, value)) expect(value).toEqual(expected)
}

/** Writes plain data, and everything else that msgpackr has a form for. */
const rich = new Packr({ useRecords: false, moreTypes: true, structuredClone: true })
const records = new Packr()
const value = fc.oneof(
  fc.anything({ withBigInt: true, withDate: true, withMap: true, withSet: true, withTypedArray: true, maxDepth: 4 }),
  fc.object({ maxDepth: 5 }),
)
const packed = fc.tuple(value, fc.boolean()).map(([params, asRecords]) => {
  const message = { jsonrpc: '2.0', id: 1, method: 'm', params }
  try {
    return new Uint8Array((asRecords ? records : rich).pack(message))
  } catch {
    return new Uint8Array(rich.pack(null)) // msgpackr cannot write the value
  }
})

const place = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true })
const mutation = fc.oneof(
  fc.record({ kind: fc.constant('set' as const), at: place, byte: fc.integer({ min: 0, max: 255 }) }),
  fc.record({ kind: fc.constant('flip' as const), at: place, byte: fc.integer({ min: 0, max: 7 }) }),
  fc.record({ kind: fc.constant('insert' as const), at: place, byte: fc.integer({ min: 0, max: 255 }) }),
  fc.record({ kind: fc.constant('cut' as const), at: place, byte: fc.integer({ min: 1, max: 9 }) }),
  fc.record({ kind: fc.constant('double' as const), at: place, byte: fc.integer({ min: 1, max: 40 }) }),
)

function mutate(bytes: Uint8Array, { kind, at, byte }: { kind: string; at: number; byte: number }): Uint8Array {
  const index = Math.floor(at * bytes.length)
  const [head, tail] = [bytes.subarray(0, index), bytes.subarray(index)]
  if (kind === 'insert')
    return Buffer.concat([head, [byte] as unknown as Uint8Array, tail].map(part => Buffer.from(part)))
  if (kind === 'cut') return Buffer.concat([head, tail.subarray(byte)])
  if (kind === 'double') return Buffer.concat([head, tail.subarray(0, byte), tail])
  const changed = new Uint8Array(bytes)
  if (changed.length > 0) changed[index] = kind === 'set' ? byte : changed[index]! ^ (1 << byte)
  return changed
}

// Mostly tokens of small values, so that enough inputs are valid.
const token = fc.oneof(
  fc.integer({ min: 0, max: 255 }),
  fc.constantFrom(
    0x81,
    0x82,
    0x91,
    0x92,
    0xa0,
    0xa1,
    0xa3,
    0xc0,
    0xc3,
    0xc4,
    0xd4,
    0xd6,
    0xd9,
    0xdc,
    0xde,
    0,
    1,
    2,
    0x61,
  ),
)

// The last test is about those before it.
describe('the codec', { shuffle: false }, () => {
  it('reads or refuses random bytes', () => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 300 }), check), { numRuns: 3000 })
  })

  it('reads or refuses random tokens', () => {
    const bytes = fc.array(token, { maxLength: 60 }).map(list => Uint8Array.from(list))
    fc.assert(fc.property(bytes, check), { numRuns: 10_000 })
  })

  it('reads or refuses everything that msgpackr writes', () => {
    fc.assert(fc.property(packed, check), { numRuns: 1000 })
  })

  it('reads or refuses mutated frames', () => {
    fc.assert(
      fc.property(packed, fc.array(mutation, { minLength: 1, maxLength: 6 }), (frame, mutations) => {
        check(mutations.reduce(mutate, frame))
      }),
      { numRuns: 5000 },
    )
  })

  it('has accepted and refused more than 500 inputs each', () => {
    expect(accepted).toBeGreaterThan(500)
    expect(refused).toBeGreaterThan(500)
  })

  it('does not change Object.prototype', () => expect(Reflect.ownKeys(Object.prototype)).toEqual(before))
})
