// The reader of MessagePack, rule by rule: it refuses what is cut short, too long, too deep, too large or of a forbidden type, and
// names the reason.
import fc from 'fast-check'
import { Packr } from 'msgpackr/pack'
import { describe, expect, it } from 'vitest'
import { rows } from '../../../../scripts/testing.js'
import { MAX_DEPTH, MAX_NODES } from '../wire/limits.js'
import { Reader } from './msgpack-reader.js'
import { msgpackCodec } from './msgpack.js'

const packr = new Packr({ useRecords: false })
const readFrame = (bytes: Uint8Array, attachments: readonly Uint8Array[] = []): unknown => {
  const reader = new Reader(bytes, false, attachments)
  const value = reader.elements(each => each.value(0)) ?? reader.value(0)
  reader.end()
  return value
}
const read = (...bytes: number[]): unknown => readFrame(Uint8Array.from(bytes))
/** False for a BigInt of more than 64 bits. */
function packs(value: unknown): boolean {
  try {
    return packr.pack(value).length > 0
  } catch {
    return false
  }
}
const zeros = (count: number): number[] => Array.from({ length: count }, () => 0)

describe('the reader', () => {
  it('reads what msgpackr writes as msgpackr does', () => {
    const plain = fc.anything({
      withBigInt: true,
      withDate: true,
      maxDepth: 6,
      key: fc.string().map(key => `k${key}`),
    })
    fc.assert(
      fc.property(
        plain.filter(value => packs(value)),
        value => {
          const body = packr.pack(value)
          expect(readFrame(body)).toStrictEqual(packr.unpack(body))
        },
      ),
      { numRuns: 1000 },
    )
    fc.assert(
      fc.property(fc.bigInt({ min: -(2n ** 63n), max: 2n ** 64n - 1n }), value => {
        expect(readFrame(packr.pack(value))).toBe(value)
      }),
    )
  })

  // Each format of the specification: its first byte, and the bytes that follow.
  const forms: [string, number, number[]][] = [
    ['fixint', 0x7f, []],
    ['fixmap', 0x81, [0xa1, 0x61, 1]],
    ['fixarray', 0x91, [1]],
    ['fixstr', 0xa2, [0x61, 0x61]],
    ['nil', 0xc0, []],
    ['false', 0xc2, []],
    ['true', 0xc3, []],
    ['bin 8', 0xc4, [1, 9]],
    ['bin 16', 0xc5, [0, 1, 9]],
    ['bin 32', 0xc6, [0, 0, 0, 1, 9]],
    ['ext 8', 0xc7, [12, 0xff, ...zeros(12)]],
    ['ext 16', 0xc8, [0, 12, 0xff, ...zeros(12)]],
    ['ext 32', 0xc9, [0, 0, 0, 12, 0xff, ...zeros(12)]],
    ['float 32', 0xca, zeros(4)],
    ['float 64', 0xcb, zeros(8)],
    ['uint 8', 0xcc, zeros(1)],
    ['uint 16', 0xcd, zeros(2)],
    ['uint 32', 0xce, zeros(4)],
    ['uint 64', 0xcf, zeros(8)],
    ['int 8', 0xd0, zeros(1)],
    ['int 16', 0xd1, zeros(2)],
    ['int 32', 0xd2, zeros(4)],
    ['int 64', 0xd3, zeros(8)],
    ['fixext 1', 0xd4, [0, 0]],
    ['fixext 2', 0xd5, [0xff, 0, 0]],
    ['fixext 4', 0xd6, [0xff, ...zeros(4)]],
    ['fixext 8', 0xd7, [0xff, ...zeros(8)]],
    ['fixext 16', 0xd8, [0xff, ...zeros(16)]],
    ['str 8', 0xd9, [1, 0x61]],
    ['str 16', 0xda, [0, 1, 0x61]],
    ['str 32', 0xdb, [0, 0, 0, 1, 0x61]],
    ['array 16', 0xdc, [0, 1, 1]],
    ['array 32', 0xdd, [0, 0, 0, 1, 1]],
    ['map 16', 0xde, [0, 1, 0xa1, 0x61, 1]],
    ['map 32', 0xdf, [0, 0, 0, 1, 0xa1, 0x61, 1]],
    ['negative fixint', 0xff, []],
  ]

  it('reads -0 in a float as 0', () =>
    rows([[[0xca, 0x80, 0, 0, 0]], [[0xcb, 0x80, ...zeros(7)]]])(bytes => expect(read(...bytes)).toBe(0)))

  it('reads each form, and refuses it when bytes are missing or left over', () =>
    rows(forms)((_name, token, rest) => {
      expect(() => read(token, ...rest)).not.toThrow()
      expect(() => msgpackCodec.decode(Uint8Array.from([token, ...rest]))).not.toThrow()
      for (let length = 0; length < rest.length; length++) {
        expect(() => read(token, ...rest.slice(0, length))).toThrow(new RangeError('the value is cut short'))
      }
      expect(() => read(token, ...rest, 0)).toThrow(new RangeError('bytes are left after the value'))
    }))

  it('refuses an empty frame and the unused byte 0xc1', () => {
    expect(() => read()).toThrow('the value is cut short')
    expect(() => read(0xc1)).toThrow(new TypeError('the byte 0xc1 is invalid'))
  })

  it('reads three of the 256 extension types', () => {
    const accepted = Array.from({ length: 256 }, (_, type) => type).filter(type => {
      try {
        readFrame(Uint8Array.of(0xd6, type, 0, 0, 0, 0), type === 0x53 ? [new Uint8Array(0)] : [])
        return true
      } catch (error) {
        expect(error).toEqual(new TypeError(`the extension type ${type} is not allowed`))
        return false
      }
    })
    expect(accepted).toEqual([0, 0x53, 0xff])
  })

  it('refuses what msgpackr writes in forms of its own', () =>
    rows([
      ['a RegExp', { moreTypes: true }, /a/g],
      ['an Error', { moreTypes: true }, new Error('x')],
      ['a Set', { moreTypes: true }, new Set([1])],
      ['a typed array', { moreTypes: true }, new Float32Array(2)],
      ['a large BigInt', { moreTypes: true }, 2n ** 80n],
      ['a record', { useRecords: true }, { a: 1 }],
      ['bundled strings', { bundleStrings: true, useRecords: false }, { a: 'a long text', b: 'another text' }],
    ])((_name, options, value) =>
      expect(() => readFrame(new Packr({ useRecords: false, ...options }).pack(value))).toThrow(
        /^the extension type \d+ is not/,
      ),
    ))

  it('refuses a cyclic reference', () => {
    const cyclic: { self?: unknown } = {}
    cyclic.self = cyclic
    expect(() => readFrame(new Packr({ structuredClone: true, useRecords: false }).pack(cyclic))).toThrow(
      'extension type',
    )
  })
})

describe('keys', () => {
  it('can be a string or a number', () =>
    rows([
      ['a string', [0xa1, 0x61], 'a'],
      ['an empty string', [0xa0], ''],
      ['a number', [7], '7'],
      ['a negative number', [0xff], '-1'],
      ['a float', [0xca, 0x3f, 0xc0, 0, 0], '1.5'],
      ['a BigInt', [0xcf, 0, 0, 0, 0, 0, 0, 0, 9], '9'],
      ['true', [0xc3], 'true'],
      ['nil', [0xc0], 'null'],
    ])((_name, key, name) => expect(msgpackCodec.decode(Uint8Array.from([0x81, ...key, 1]))).toEqual({ [name]: 1 })))

  it('cannot be anything else', () =>
    rows({
      'a map': [0x80],
      'an array': [0x90],
      bytes: [0xc4, 0],
      undefined: [0xd4, 0, 0],
      'a date': [0xd6, 0xff, 0, 0, 0, 0],
      'an extension': [0xc7, 1, 0, 0],
      'a long array': [0xdc, 0, 0],
      'a long map': [0xdf, 0, 0, 0, 0],
    })(key => expect(() => read(0x81, ...key, 1)).toThrow(new TypeError('a key is neither a string nor a number'))))
})

describe('bounds', () => {
  const deep = (depth: number): number[] => [...Array.from({ length: depth }, () => 0x91), 1]
  const deepMap = (depth: number): number[] => [...Array.from({ length: depth }, () => [0x81, 0xa0]).flat(), 1]

  it('limit the depth of a message to 64, alone and in a batch', () => {
    expect(() => read(...deepMap(MAX_DEPTH))).not.toThrow()
    expect(() => read(...deepMap(MAX_DEPTH + 1))).toThrow(new RangeError('nested deeper than 64'))
    expect(() => read(0x92, ...deepMap(MAX_DEPTH), ...deepMap(MAX_DEPTH))).not.toThrow()
    expect(() => read(0x92, ...deepMap(1), ...deepMap(MAX_DEPTH + 1))).toThrow('nested deeper')
    expect(() => read(0xdd, 0, 0, 0, 1, 0x81, 0xa0, ...deep(MAX_DEPTH - 1))).not.toThrow()
    expect(() => read(0xdc, 0, 1, 0x81, 0xa0, ...deep(MAX_DEPTH))).toThrow('nested deeper')
  })

  it('refuse a million levels without a stack overflow', () => {
    for (const token of [0x91, 0x81]) {
      expect(() => readFrame(Buffer.alloc(1e6, token))).toThrow(/nested deeper|neither a string/)
    }
  })

  it('limit a frame to a million values, keys included', () => {
    const array = (length: number): Buffer => {
      const body = Buffer.alloc(5 + length)
      body[0] = 0xdd
      body.writeUInt32BE(length, 1)
      return body
    }
    expect(() => readFrame(array(MAX_NODES - 1))).not.toThrow()
    expect(() => readFrame(array(MAX_NODES))).toThrow(new RangeError('more than 1000000 values'))
    const map = Buffer.concat([Buffer.from([0xdf, 0, 7, 0xa1, 0x20]), Buffer.alloc(1_000_000)]) // 500 000 entries
    expect(() => readFrame(map)).toThrow('more than 1000000 values')
  })

  it('refuse four thousand million values without allocating them', () =>
    rows([0xdd, 0xdf, 0xdb, 0xc6, 0xc9])(token => {
      const before = process.memoryUsage().rss
      for (let i = 0; i < 100; i++) {
        expect(() => msgpackCodec.decode(Uint8Array.from([token, 255, 255, 255, 255, 0, 0]))).toThrow('cut short')
        const nested = Uint8Array.from([0xdd, 0, 0, 0, 2, token, 255, 255, 255, 255, 0, 0])
        expect(() => msgpackCodec.decode(nested)).toThrow('cut short')
      }
      expect(process.memoryUsage().rss - before).toBeLessThan(200 * 2 ** 20)
    }))
})
