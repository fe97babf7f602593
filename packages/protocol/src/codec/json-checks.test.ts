// The two limits that JSON's parser does not have, depth and number of values: their exact values, strings that imitate structure,
// and the same limits for senders.
import fc from 'fast-check'
import { Readable } from 'node:stream'
import { runInNewContext } from 'node:vm'
import { describe, expect, it, vi } from 'vitest'
import { rows } from '../../../../scripts/testing.js'
import { encodeMessage } from '../rpc/outbox.js'
import { MAX_DEPTH, MAX_FRAME_BYTES, MAX_NODES, SCAN_ABOVE_BYTES } from '../wire/limits.js'
import { FRAME_KIND } from '../wire/messages.js'
import { BatchReader } from './codecs.js'
import { checkLimits, scanJson, stringifyJson } from './json-checks.js'
import { jsonCodec } from './json.js'

const scan = (text: string): unknown => scanJson(Buffer.from(text))
const nested = (depth: number, inside = ''): string => '['.repeat(depth) + inside + ']'.repeat(depth)
const nestedObjects = (depth: number, inside: string): string => '{"a":'.repeat(depth) + inside + '}'.repeat(depth)
/** Returns a message with the params `value`, padded to `size` bytes. */
function padded(size: number, value: string): string {
  const text = `{"params":${value},"pad":""}`
  return text.replace('"pad":""', `"pad":"${'x'.repeat(Math.max(0, size - text.length))}"`)
}
const large = SCAN_ABOVE_BYTES + 1
const decode = (text: string): unknown => jsonCodec.decode(Buffer.from(text))

const tooDeep = 'Parse error: nested deeper than 64'

describe('the limit of depth', () => {
  // The message itself is the first of the levels.
  it('is 64 for a message of more than 64 KiB', () =>
    rows([
      ['arrays', nested(MAX_DEPTH - 1), nested(MAX_DEPTH)],
      ['objects', nestedObjects(MAX_DEPTH - 1, '1'), nestedObjects(MAX_DEPTH, '1')],
    ])((_name, fits, over) => {
      expect(() => decode(padded(large, fits))).not.toThrow()
      expect(() => decode(padded(large, over))).toThrow(tooDeep)
    }))

  it('does not apply to a message of up to 64 KiB, alone or in a batch of any size', () => {
    const small = padded(SCAN_ABOVE_BYTES, nested(5000))
    expect(() => decode(small)).not.toThrow()
    expect(() => decode(`[${small},${small},${small}]`)).not.toThrow()
    expect(() => decode(`[{"params":1},${small}]`)).not.toThrow()
  })

  it('applies to a message of more than 64 KiB at any place in a batch', () => {
    const [over, fits, little] = [padded(large, nested(64)), padded(large, nested(63)), '{"params":[]}']
    for (const place of [0, 1, 2]) {
      const batch = [little, little, little]
      batch[place] = over
      expect(() => decode(`[${batch.join(',')}]`), `at ${place}`).toThrow(tooDeep)
      batch[place] = fits
      expect(() => decode(` [${batch.join(' , ')} ] `), `at ${place}`).not.toThrow()
    }
  })

  it('ignores brackets in strings', () => {
    const text = JSON.stringify({ a: `${'['.repeat(1000)}"\\"${'{'.repeat(1000)}\\`, b: '\\\\"[[' })
    expect(() => scan(padded(large, text))).not.toThrow()
    expect(() => decode(padded(large, `["\\\\",${nested(64)}]`))).toThrow(tooDeep)
    expect(() => decode(padded(large, `["\\\\\\"",${nested(64)}]`))).toThrow(tooDeep)
  })

  it('applies to nesting at one time, however often it goes up and down', () => {
    expect(() => decode(padded(large, `[${`${nested(60)},`.repeat(1000)}1]`))).not.toThrow()
  })

  it('rejects a million levels without recursion, and without parsing them', () => {
    const parse = vi.spyOn(JSON, 'parse')
    expect(() => decode(nested(1e6))).toThrow(tooDeep)
    expect(() => decode('['.repeat(8e6))).toThrow(tooDeep)
    expect(() => decode('{"a":'.repeat(1e6))).toThrow(tooDeep)
    expect(parse).not.toHaveBeenCalled()
    parse.mockRestore()
  })

  it('leaves invalid JSON to the parser', () => {
    for (const text of [
      ']'.repeat(large),
      '}]'.repeat(large),
      ','.repeat(large),
      '"'.repeat(large),
      `"${'\\'.repeat(large)}`,
    ])
      expect(() => decode(text)).toThrow(/^Parse error: /)
  })
})

describe('the limit of values', () => {
  const array = (count: number, item: string): string => `[${`${item},`.repeat(count - 1)}${item}]`
  const tooMany = 'Parse error: more than 1000000 values'

  // The scan counts brackets and commas, plus one.
  it('is a million', () => {
    expect(() => decode(array(MAX_NODES - 1, '1'))).not.toThrow()
    expect(() => decode(array(MAX_NODES, '1'))).toThrow(tooMany)
    expect(() => decode(array(MAX_NODES / 2 + 1, '{}'))).toThrow(tooMany)
    expect(() => decode(`{${Array.from({ length: MAX_NODES }, (_, i) => `"${i}":1`).join(',')}}`)).toThrow(tooMany)
  })

  it('rejects 16 MiB of empty objects before they cost anything', () => {
    const parse = vi.spyOn(JSON, 'parse')
    expect(() => decode(array(5e6, '{}'))).toThrow(tooMany)
    expect(parse).not.toHaveBeenCalled()
    parse.mockRestore()
  })

  it('ignores commas in strings', () => expect(() => decode(`["${','.repeat(2e6)}"]`)).not.toThrow())
})

describe('a frame that comes as a string', () => {
  it('has the same limits as one of bytes', () => {
    expect(() => jsonCodec.decode(padded(large, nested(MAX_DEPTH)))).toThrow(tooDeep)
    expect(() => jsonCodec.decode(padded(SCAN_ABOVE_BYTES, nested(MAX_DEPTH)))).not.toThrow()
    expect(() => jsonCodec.decode(`[${'1,'.repeat(MAX_NODES)}1]`)).toThrow('more than 1000000 values')
  })

  it('is measured as UTF-8', () => {
    const wide = (bytes: number, inside: string): string => `{"a":${inside},"b":"${'漢'.repeat(bytes / 3)}"}`
    expect(() => jsonCodec.decode(wide(large, nested(MAX_DEPTH)))).toThrow(tooDeep)
    expect(() => jsonCodec.decode(wide(MAX_FRAME_BYTES, '1'))).toThrow(/is over the limit/)
    expect(() => jsonCodec.decode(wide(MAX_FRAME_BYTES - 16, '1'))).not.toThrow()
  })
})

describe('random JSON', () => {
  const value = fc.jsonValue({ stringUnit: 'binary', maxDepth: 8 })
  const getDepth = (inner: unknown): number =>
    typeof inner === 'object' && inner !== null
      ? 1 + Math.max(0, ...Object.values(inner).map(each => getDepth(each)))
      : 0

  it('passes if and only if its depth is within the limit', () => {
    fc.assert(
      fc.property(value, fc.integer({ min: 0, max: 70 }), fc.boolean(), (inside, around, indented) => {
        let deep: unknown = inside
        for (let i = 0; i < around; i++) deep = i % 2 ? [deep] : { '"]': deep }
        const message = JSON.stringify({ deep, pad: 'x'.repeat(large) }, null, indented ? 1 : 0)
        const fits = getDepth(deep) + 1 <= MAX_DEPTH
        for (const text of [message, `[{},${message},{}]`]) {
          if (fits) expect(() => scan(text)).not.toThrow()
          else expect(() => scan(text)).toThrow('nested deeper than 64')
        }
      }),
      { numRuns: 200 },
    )
  })
})

describe('a sender', () => {
  const deepValue = JSON.parse(nested(64)) as unknown
  const send = (params: unknown): string =>
    encodeMessage(jsonCodec, { jsonrpc: '2.0', method: 'm', params }, true) as string

  it('rejects messages that a receiver would reject', () => {
    expect(() => send({ pad: 'x'.repeat(large), deepValue })).toThrow(new RangeError('nested deeper than 64'))
    expect(() => send({ many: Array.from({ length: MAX_NODES }, () => 0) })).toThrow('more than 1000000 values')
  })

  it('has the same limits in a page', () =>
    rows([
      ['nested deeper than 64', nested(MAX_DEPTH), nested(MAX_DEPTH + 1)],
      ['more than 1000000 values', `[${'0,'.repeat(MAX_NODES - 2)}0]`, `[${'0,'.repeat(MAX_NODES - 1)}0]`],
    ])((message, fits, over) => {
      expect(() => checkLimits(fits)).not.toThrow()
      expect(() => checkLimits(over)).toThrow(message)
    }))

  it('sends messages of exactly the limits of a receiver', () => {
    const envelope = send({ deepValue, pad: '' }).length
    for (const pad of ['x', 'é', '€', '𝄞']) {
      const size = Buffer.byteLength(pad)
      const most = Math.floor((SCAN_ABOVE_BYTES - envelope) / size)
      const text = send({ deepValue, pad: pad.repeat(most) })
      expect(() => decode(text)).not.toThrow()
      expect(() => decode(`[${text},${text}]`)).not.toThrow()
      expect(() => send({ deepValue, pad: pad.repeat(most + 1) })).toThrow('nested deeper than 64')
    }
    expect(() => decode(send({ pad: 'x'.repeat(large), deep: JSON.parse(nested(62)) as unknown }))).not.toThrow()
  })
})

// The rules of JSON for values.

const { signal } = new AbortController()
const { port1: port } = new MessageChannel()

describe('stringifyJson', () => {
  it('refuses what JSON would change or lose, and says where it is', () =>
    rows<[value: unknown, text: string]>([
      [
        { a: { list: [0, new Map()] } },
        'a.list[1] is a value of type Map, which JSON cannot represent: pass Object.fromEntries(map)',
      ],
      [new Set(), 'it is a value of type Set, which JSON cannot represent: pass an array'],
      [{ before: { deep: [1] }, pattern: /a/ }, 'pattern is a value of type RegExp'],
      [[[1], new TypeError('no')], '[1] is a value of type Error, which JSON cannot represent: pass its message'],
      [{ file: new Blob([]) }, 'file is a value of type Blob'],
      [
        { floats: new Float64Array(1) },
        'floats is a value of type Float64Array, which JSON cannot represent: pass a Uint8Array of its bytes',
      ],
      [{ view: new DataView(new ArrayBuffer(1)) }, 'view is a value of type DataView'],
      [{ a: { toJSON: () => new Map() } }, 'a is a value of type Map'],
      [{ a: Object.assign(() => 1, { toJSON: () => new Map() }) }, 'a is a value of type Map'],
      [[[[[[[[[[[[new Map()]]]]]]]]]]], '[0][0][0][0][0][0][0][0][0][0][0] is a value of type Map'],
      [runInNewContext('({ a: Promise.resolve() })'), 'a is a value of type Promise'],
      [[Promise.resolve()], '[0] is a value of type Promise, which JSON cannot represent: await it first'],
      [
        {
          query: new (class Query {
            then = () => 1
          })(),
        },
        'query is a value of type Promise',
      ],
    ])((value, text) => expect(() => stringifyJson(value)).toThrow(text)))

  it('says what it is, and what to do', () =>
    rows<[text: string, value: unknown]>([
      ['on.save is a function, which JSON cannot represent: pass a Channel, or expose it', { on: { save: () => 1 } }],
      ['it is a function', async () => 1],
      ['id is a symbol, which JSON cannot represent: pass its description', { id: Symbol('s') }],
      ["[1] is NaN, which JSON cannot represent: pass null or a string, or choose codec: 'msgpack'", [0, Number.NaN]],
      ['max is -Infinity', { max: -Infinity }],
      ['signal is a value of type AbortSignal, which JSON cannot represent: pass it as the option', { signal }],
      ['port is a value of type MessagePort, which JSON cannot represent: pass a Channel', { port }],
      ['a.body is a value of type ReadableStream, which JSON cannot', { a: { body: new ReadableStream() } }],
      ['body is a value of type Stream', { body: Readable.from([]) }],
      ['body is a value of type AsyncIterable', { body: { async *[Symbol.asyncIterator]() {} } }],
      ['at[0] is a value of type Date, which JSON cannot represent: pass null', { at: [new Date(Number.NaN)] }],
      ['ids is a value of type Iterator, which JSON cannot represent: pass an array', { ids: new Map().keys() }],
      ['f[0] is a value of type Set', runInNewContext('({ f: [new Set()] })')],
    ])((text, value) => expect(() => stringifyJson(value)).toThrow(text)))

  it('refuses whatever JSON would change, however deep and in whatever object, and writes all else as JSON.stringify does', () => {
    const carried = fc.constantFrom(0, -1.5, '', true, null, undefined, new Date(0), new URL('http://a/b'))
    const changed = fc.constantFrom(Number.NaN, -Infinity, new Map(), new Set(), /a/, () => 1, Symbol('s'), port)
    const around = fc.constantFrom<(member: unknown) => unknown>(
      a => [0, a],
      a => ({ before: null, a }),
      a => Object.assign(Object.create(null) as object, { a }),
      a => Object.assign(new (class Row {})(), { a }),
      a => Object.assign(Array(3), { 1: a }),
    )
    const wrap = (value: unknown, arounds: readonly ((member: unknown) => unknown)[]): unknown =>
      arounds.reduce((inner, place) => place(inner), value)
    fc.assert(
      fc.property(fc.array(around, { minLength: 1, maxLength: 70 }), carried, changed, (arounds, same, other) => {
        expect(stringifyJson(wrap(same, arounds))).toBe(JSON.stringify(wrap(same, arounds)))
        expect(() => stringifyJson(wrap(other, arounds))).toThrow('which JSON cannot represent')
      }),
    )
  })

  it('refuses a cycle as JSON.stringify does', () => {
    const cycle: unknown[] = [new Uint8Array(1)]
    cycle.push({ cycle })
    expect(() => stringifyJson(cycle)).toThrow('circular structure')
  })

  it('writes all else as JSON.stringify does', () =>
    rows<[value: unknown]>([
      [{ at: new Date(0), url: new URL('http://a/b'), none: undefined, [Symbol('s')]: 1 }],
      [{ error: Object.assign(new Error('no'), { toJSON: () => ({ message: 'no' }) }) }],
      [[undefined, { type: 'Buffer', data: [1] }, Object.create(null)]],
      [Object.assign(new (class Row {})(), { at: new Date(1), list: Array.from({ length: 100 }, () => [1]) })],
      [
        {
          row: new (class Row {
            a = 1
            toJSON() {
              return this
            }
          })(),
        },
      ],
      [undefined],
    ])(value => expect(stringifyJson(value)).toBe(JSON.stringify(value))))
})

it('frames of core are not scanned, those of frontends and hooks are', () =>
  rows([
    ['nested deeper than 64', `${'['.repeat(65)}"${'x'.repeat(SCAN_ABOVE_BYTES)}"${']'.repeat(65)}`],
    ['more than 1000000 values', `[${'0,'.repeat(MAX_NODES)}0]`],
    ['a number is out of range', '1e999'],
    ['a key named "__proto__" is refused', '{"__proto__":1}'],
  ])((message, params) => {
    const text = `{"jsonrpc":"2.0","method":"m","params":{"a":${params}}}`
    const read = (isTrusted: boolean) => new BatchReader(isTrusted).read(FRAME_KIND.json, text)
    expect(read(true)).toHaveLength(1)
    expect(() => read(false)).toThrow(message)
  }))
