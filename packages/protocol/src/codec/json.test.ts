// The codec concatenates envelopes as text, so every message is compared with the output of JSON.stringify.
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { BusError } from '../errors/bus-error.js'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { rows } from '../../../../scripts/testing.js'
import { IS_NODE } from '#platform'
import type { Message } from '../wire/messages.js'
import { MAX_FRAME_BYTES } from '../wire/limits.js'
import { jsonCodec } from './json.js'

const bytes = (text: string): Uint8Array => new Uint8Array(Buffer.from(text))
const decode = (text: string): unknown => jsonCodec.decode(bytes(text))
const roundTrip = (message: Message): unknown => decode(jsonCodec.encode(message) as string)
const asJson = (value: unknown): unknown => JSON.parse(JSON.stringify(value))

// Keys named `__proto__` have tests of their own (proto-keys.test.ts).
const plain = fc.jsonValue({ stringUnit: 'binary' }).filter(value => !JSON.stringify(value).includes('__proto__'))
const id = fc.oneof(fc.string(), fc.maxSafeInteger())
const named = fc.dictionary(
  fc.string({ unit: 'binary' }).filter(key => key !== '__proto__'),
  plain,
)
const headers = fc.option(fc.dictionary(fc.stringMatching(/^[a-z-]+$/), fc.string()), { nil: undefined })
const message: fc.Arbitrary<Message> = fc.oneof(
  fc.record({ jsonrpc: fc.constant('2.0' as const), id, method: fc.string(), params: named, headers }),
  fc.record({
    jsonrpc: fc.constant('2.0' as const),
    method: fc.string(),
    params: fc.option(named, { nil: undefined }),
  }),
  fc.record({ jsonrpc: fc.constant('2.0' as const), id, result: plain }),
  fc.record({
    jsonrpc: fc.constant('2.0' as const),
    id: fc.option(id),
    error: fc.record({ code: fc.integer(), message: fc.string({ unit: 'binary' }), data: plain }),
  }),
) as fc.Arbitrary<Message>

// A page reads only what core sends.
describe.skipIf(!IS_NODE)('numbers that are parsed as Infinity', () => {
  const digits = (count: number): string => '9'.repeat(count)
  it('are refused', () =>
    rows([
      ...['1e400', '-1e400', '1E+400', '1e000309', '2e308', '0.1e310', `${digits(300)}e50`, digits(309)],
      ...[`-${digits(400)}`, `${digits(1000)}.5`, `${' '.repeat(57)}${digits(400)}`],
    ])(number => {
      const refused = expect.objectContaining({
        reason: 'ParseError',
        message: 'Parse error: a number is out of range',
      })
      for (const text of [number, `[1,[${number}]]`, `{"a":{"b":${number}}}`, `{"a":"x","b":[{}, ${number} ]}`]) {
        expect(() => decode(text)).toThrow(refused)
      }
    }))

  it('are not found in numbers within range, nor in strings', () =>
    rows([
      ...['1.7976931348623157e308', '-1e+308', '1e-400', '0e400', '0.00e999', digits(308), `0.${digits(1000)}`],
      ...[`"1e400 ${digits(1000)}"`, `{"1e400":"${digits(400)}","a":1}`],
    ])(text => expect(decode(text)).toEqual(JSON.parse(text))))

  it('are found wherever V8 makes them', () => {
    const zeros = fc.integer({ min: 0, max: 4 }).map(count => '0'.repeat(count))
    const exponent = fc.tuple(fc.constantFrom('e', 'E', 'e+', 'e-'), zeros, fc.integer({ min: 0, max: 420 }))
    const count = fc.integer({ min: 1, max: 420 })
    fc.assert(
      fc.property(fc.string(), count, count, fc.option(exponent), (before, digitsBefore, digitsAfter, power) => {
        const number = `${digits(digitsBefore)}.${digits(digitsAfter)}${power?.join('') ?? ''}`
        const text = `{"a":${JSON.stringify(before)},"b":[${number}]}`
        if (Number.isFinite(Number(number))) expect(decode(text)).toEqual(JSON.parse(text))
        else expect(() => decode(text)).toThrow('out of range')
      }),
    )
  })
})

describe.skipIf(!IS_NODE)('a negative zero', () => {
  const decodeParam = (number: string): unknown => {
    const message = jsonCodec.decode(`{"jsonrpc":"2.0","id":1,"method":"a","params":{"n":[${number}]}}`) as Message
    return (message as { params: { n: unknown[] } }).params.n[0]
  }

  it('is found after any number of minus signs in strings', () =>
    rows([1, 999, 1000, 5000])(count => {
      const signs = 'a-'.repeat(count)
      expect(jsonCodec.decode(`{"a":"${signs}","b":-0}`)).toEqual({ a: signs, b: 0 })
      expect(jsonCodec.decode(`{"a":"${signs}","b":"c"}`)).toEqual({ a: signs, b: 'c' })
    }))

  it('is decoded as 0, as which it would be encoded again', () =>
    rows([
      ...['-0', '-0.0', '-0e5', '-0E-1', '-1e-400', '-0.5e-330', ' -0'],
      ...[`-0.${'0'.repeat(400)}1`, `-0.${'0'.repeat(250)}1e-99`],
    ])(number => expect(decodeParam(number)).toBe(0)))

  it('is not another negative number', () =>
    rows([
      ['-0.5', -0.5],
      ['-1e-3', -0.001],
      ['-5e-324', -5e-324],
      [`-0.${'0'.repeat(300)}1`, -1e-301],
      ['"-0"', '-0'],
      ['"2026-01-05, -0"', '2026-01-05, -0'],
    ])((text, value) => expect(decodeParam(text)).toBe(value)))
})

describe('encode', () => {
  it('writes any message as JSON.stringify does', () => {
    fc.assert(
      fc.property(message, sent => {
        expect(decode(jsonCodec.encode(sent) as string)).toEqual(asJson(sent))
      }),
    )
  })

  it('has a known text for each kind of message', () =>
    rows([
      [{ jsonrpc: '2.0', id: 1, method: 'greet' }, '{"jsonrpc":"2.0","id":1,"method":"greet"}'],
      [{ jsonrpc: '2.0', method: '$/x', params: {} }, '{"jsonrpc":"2.0","method":"$/x","params":{}}'],
      [
        { jsonrpc: '2.0', id: 'a"', method: 'm', params: { a: 1 }, headers: { h: '' } },
        '{"jsonrpc":"2.0","id":"a\\"","method":"m","params":{"a":1},"headers":{"h":""}}',
      ],
      [{ jsonrpc: '2.0', id: 1, result: null }, '{"jsonrpc":"2.0","id":1,"result":null}'],
      [{ jsonrpc: '2.0', id: 1, result: undefined }, '{"jsonrpc":"2.0","id":1,"result":null}'],
      [
        { jsonrpc: '2.0', id: null, error: { code: -32700, message: 'x' } },
        '{"jsonrpc":"2.0","id":null,"error":{"code":-32700,"message":"x"}}',
      ],
    ])((sent, text) => expect(jsonCodec.encode(sent)).toBe(text)))

  it('encodes the value at the time of the call', () => {
    const params = { n: 1 }
    const text = jsonCodec.encode({ jsonrpc: '2.0', method: 'm', params })
    params.n = 2
    expect(text).toContain('{"n":1}')
  })

  const cycle: { self?: unknown } = {}
  cycle.self = cycle
  const broken = {
    toJSON() {
      throw new RangeError('mine')
    },
  }
  it('rejects what JSON cannot represent in params, results, errors and headers, and encodes the next message', () =>
    rows([
      ['a BigInt', 1n, TypeError],
      ['a BigInt deeper down', { a: [{ b: 1n }] }, TypeError],
      ['a cycle', cycle, TypeError],
      ['a toJSON that throws', broken, RangeError],
    ])((_name, value, error) => {
      const attempts = [
        { jsonrpc: '2.0', id: 1, method: 'm', params: { value } },
        { jsonrpc: '2.0', id: 1, method: 'm', headers: { value } },
        { jsonrpc: '2.0', id: 1, result: value },
        { jsonrpc: '2.0', id: 1, error: { code: 1, message: '', data: value } },
      ] as Message[]
      for (const attempt of attempts) expect(() => jsonCodec.encode(attempt)).toThrow(error)
      expect(roundTrip({ jsonrpc: '2.0', id: 1, result: 1 })).toEqual({ jsonrpc: '2.0', id: 1, result: 1 })
    }))
})

describe('join', () => {
  it('keeps all messages of a batch in order', () => {
    fc.assert(
      fc.property(fc.array(message, { minLength: 2, maxLength: 20 }), sent => {
        const body = jsonCodec.join(sent.map(each => jsonCodec.encode(each) as string)) as string
        expect(decode(body)).toEqual(asJson(sent))
      }),
    )
  })
})

describe('decode', () => {
  it('throws a ParseError for what is not one JSON text', () =>
    rows(['', ' \n', '{}{}', '{"a":1,}', "{'a':1}", '{}//', 'NaN', 'undefined', '\ufeff{}', '[{},'])(text => {
      expect(() => decode(text)).toThrow(expect.objectContaining({ reason: 'ParseError', code: -32700 }))
      expect(() => decode(text)).toThrow(/^Parse error: /)
    }))

  it('rejects invalid UTF-8', () =>
    rows({
      'an invalid first byte': [0xff],
      'a truncated character': [0xc3],
      'a continuation byte alone': [0x80],
      'an overlong slash': [0xc0, 0xaf],
      'half a surrogate pair': [0xed, 0xa0, 0x80],
      'a surrogate pair as six bytes': [0xed, 0xa0, 0xbd, 0xed, 0xb8, 0x80],
      'a character beyond Unicode': [0xf4, 0x90, 0x80, 0x80],
    })(wrong => {
      const body = Buffer.concat([Buffer.from('"a'), Buffer.from(wrong), Buffer.from('"')])
      expect(() => jsonCodec.decode(body)).toThrow('Parse error: the text is not UTF-8')
    }))

  it.skipIf(!IS_NODE)('rejects a string that is not well-formed', () =>
    rows(['"\ud83d"', '"\ude00"', '"\ude00\ud83d"', `"${'x'.repeat(100_000)}\ud83d"`])(text =>
      expect(() => jsonCodec.decode(text)).toThrow('Parse error: the text is not well-formed Unicode'),
    ),
  )

  it('reads a string and bytes alike', () =>
    rows(['"😀"', '"\\ud83d"', '{"é":["漢"]}'])(text =>
      expect(jsonCodec.decode(text)).toEqual(jsonCodec.decode(Buffer.from(text))),
    ))

  it('preserves strings', () =>
    rows([
      ...['é', 'イ', '😀', '\u0000', '\u2028', '\ud800', '\udc00x', 'a\\"b', '\u007f'],
      ...['x'.repeat(70_000), 'é'.repeat(40_000)],
    ])(text => {
      const message: Message = { jsonrpc: '2.0', id: text, result: { [text]: text } }
      expect(roundTrip(message)).toEqual(message)
    }))

  it('reads part of a buffer, and a Buffer', () => {
    const large = Buffer.from('xx{"a":1}xx')
    expect(jsonCodec.decode(large.subarray(2, 9))).toEqual({ a: 1 })
    expect(jsonCodec.decode(new Uint8Array(large).subarray(2, 9))).toEqual({ a: 1 })
  })

  it.skipIf(!IS_NODE)('accepts a frame of 16 MiB and rejects one more byte', () => {
    const fits = Buffer.alloc(MAX_FRAME_BYTES, 'x')
    fits[0] = fits[MAX_FRAME_BYTES - 1] = 0x22
    expect(jsonCodec.decode(fits)).toHaveLength(MAX_FRAME_BYTES - 2)
    expect(() => jsonCodec.decode(Buffer.concat([fits, Buffer.from(' ')]))).toThrow(
      'Parse error: a frame of 16777217 bytes is over the limit',
    )
  })
})

// JSONTestSuite (https://github.com/nst/JSONTestSuite): the codec must read `y_` files and reject `n_` files, and can do either with
// `i_` files. Its only error is ParseError. The suite is read from a directory next to the repository.
describe('JSONTestSuite', () => {
  const directory = new URL('../../../../../shared/corpora/jsontestsuite/', import.meta.url)
  const present = existsSync(directory)
  if (!present) console.warn('No ../shared/corpora/jsontestsuite next to the repository: JSON goes without its cases')

  const read = (name: string): Uint8Array => new Uint8Array(readFileSync(new URL(name.replace('#', '%23'), directory)))
  const listFiles = (name: string, prefix: string): string[] =>
    present
      ? readdirSync(new URL(`${name}/`, directory))
          .filter(file => file.startsWith(prefix))
          .map(file => `${name}/${file}`)
      : []

  function outcome(file: string): { value: unknown } | { error: unknown } {
    try {
      return { value: jsonCodec.decode(read(file)) }
    } catch (error) {
      return { error }
    }
  }

  /** A codec of Node decodes -0 as 0. */
  const parse = (file: string): unknown =>
    JSON.parse(Buffer.from(read(file)).toString('utf8'), (_key, value: unknown) => (IS_NODE && value === 0 ? 0 : value))

  const parseError = expect.objectContaining({ reason: 'ParseError', message: expect.stringMatching(/^Parse error: /) })

  it(`is ${present ? '' : 'not '}run with ../shared/corpora/jsontestsuite next to the repository`, () => {
    expect(existsSync(directory)).toBe(present)
  })

  describe.runIf(present)('JSONTestSuite', () => {
    const [valid, invalid, free] = ['y_', 'n_', 'i_'].map(prefix => listFiles('test_parsing', prefix)) as [
      string[],
      string[],
      string[],
    ]

    it('has files of each kind', () =>
      expect([valid.length > 90, invalid.length > 180, free.length > 30]).toEqual([true, true, true]))

    it('reads every valid text', () => rows(valid)(file => expect(outcome(file)).toEqual({ value: parse(file) })))

    it('rejects every invalid text', () =>
      rows(invalid)(file => {
        expect(outcome(file)).toEqual({ error: parseError })
        expect((outcome(file) as { error: unknown }).error).toBeInstanceOf(BusError)
      }))

    it('reads or rejects what the standard leaves open', () =>
      rows([...free, ...listFiles('test_transform', '')])(file => {
        const result = outcome(file)
        if ('error' in result) expect(result.error).toEqual(parseError)
        else expect(result.value).toEqual(parse(file))
      }))
  })
})
