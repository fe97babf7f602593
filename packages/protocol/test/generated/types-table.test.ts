// Creates the rows of the table of types in docs/guide/commands.md by sending the values, and compares them with the page.
import { existsSync, readFileSync } from 'node:fs'
import { inspect, isDeepStrictEqual } from 'node:util'
import { describe, expect, it } from 'vitest'
import { rows } from '../../../../scripts/testing.js'
import type { CodecName } from '../../src/codec/codec.js'
import { BatchReader, codecs } from '../../src/codec/codecs.js'
import { packMessage } from '../../src/rpc/outbox.js'

class Point {
  x = 1
  f(): number {
    return 1
  }
  get y(): number {
    return 2
  }
}

const cycle: unknown[] = []
cycle.push(cycle)
const holed: unknown[] = []
holed[1] = 1
let nested: unknown = 1
for (let i = 0; i < 70; i++) nested = [nested]

/** The first cell of a row, and the value. A cell in backticks is the value's own code. */
const values: [string, unknown][] = [
  ['`null`, `true`, text, objects, arrays', { a: [null, true, 'text', 'é😀'] }],
  ['`[1.5, 2 ** 53 + 2]`', [1.5, 2 ** 53 + 2]],
  ['`-0`', -0],
  ['`[NaN, Infinity]`', [Number.NaN, Infinity]],
  ['`undefined`', undefined],
  ['`[undefined, 1]`', [undefined, 1]],
  ['`[, 1]`', holed],
  ['`() => 1`', () => 1],
  ['`[() => 1]`', [() => 1]],
  ['`Symbol()`', Symbol('s')],
  ['`10n`', 10n],
  ['`2n ** 64n`', 2n ** 64n],
  ['`new Date(0)`', new Date(0)],
  ['`new Date(NaN)`', new Date(Number.NaN)],
  ["`new Map([[1, 'a']])`", new Map([[1, 'a']])],
  ["`new Map([[{}, 'a']])`", new Map([[{}, 'a']])],
  ['`new Set([1, 2])`', new Set([1, 2])],
  ['`/a+/gi`', /a+/gi],
  ["`new TypeError('no', { cause: 1 })`", new TypeError('no', { cause: 1 })],
  ['`new Uint8Array([1, 2])`', new Uint8Array([1, 2])],
  ['`Buffer.from([1, 2])`', Buffer.from([1, 2])],
  ['`new Uint8Array([1, 2]).buffer`', new Uint8Array([1, 2]).buffer],
  ['`new Float32Array([1.5])`', new Float32Array([1.5])],
  ['`new DataView(buffer)`', new DataView(new ArrayBuffer(2))],
  ['`new SharedArrayBuffer(2)`', new SharedArrayBuffer(2)],
  ['an instance: `x = 1`, a method and a getter of its class', new Point()],
  ['an instance with `toJSON`: `new URL("http://a/b")`', new URL('http://a/b')],
  ['an object literal with `toJSON: () => 1`', { toJSON: () => 1 }],
  [
    '`{ get a() { return 1 }, [Symbol()]: 2 }`',
    Object.defineProperty({ [Symbol('s')]: 2 }, 'a', { get: () => 1, enumerable: true }),
  ],
  ['`Object.assign(Object.create(null), { a: 1 })`', Object.assign(Object.create(null) as object, { a: 1 })],
  ['`Object(1)`', Object(1)],
  ['`Promise.resolve(1)`', Promise.resolve(1)],
  ['`new AbortController().signal`', new AbortController().signal],
  ['`new MessageChannel().port1`', new MessageChannel().port1],
  ['`new ReadableStream()`, async iterables', new ReadableStream()],
  ['`new Map().keys()`, other iterators', new Map().keys()],
  ["`'\\ud800'`", '\ud800'],
  ['an array 70 deep ¹', nested],
  ['a cycle', cycle],
  ['65 536 keys', Object.fromEntries(Array.from({ length: 65_536 }, (_, i) => [`k${i}`, i]))],
  ['a key `__proto__`', JSON.parse('{"__proto__":1}')],
]

function arrives(codec: CodecName, value: unknown): string {
  let params: { value?: unknown }
  try {
    const { codec: framing, encoded } = packMessage(codecs[codec], { jsonrpc: '2.0', method: 'm', params: { value } })
    const [message] = new BatchReader().read(framing.kind, Buffer.from(framing.join([encoded]) as string))
    params = (message as { params: { value?: unknown } }).params
  } catch {
    return 'refused'
  }
  if (!('value' in params)) return 'left out'
  // Whether invalid dates are equal depends on the version of Node.
  const invalid = value instanceof Date && Number.isNaN(value.getTime())
  if (!invalid && isDeepStrictEqual(params.value, value)) return 'the same'
  return `\`${inspect(params.value).replace(/\s+/g, ' ')}\``
}

const page = new URL('../../../../docs/guide/commands.md', import.meta.url)
const arrived = values.map(([name, value]) => [name, arrives('json', value), arrives('msgpack', value)] as const)
const isRefused = ([, json, msgpack]: (typeof arrived)[number]): boolean => json === 'refused' && msgpack === 'refused'
const lines = arrived.filter(row => !isRefused(row)).map(row => `| ${row.join(' | ')} |`)
const names = arrived.filter(isRefused).map(([name]) => name)
const refused = `Refused by both: ${names.join('; ')}.`

describe('the table of docs/guide/commands.md', () => {
  const text = existsSync(page) ? readFileSync(page, 'utf8') : ''

  it('has a row for each type', () => rows([...lines, refused])(row => expect(text).toContain(`${row}\n`)))

  it('has no other row', () => {
    const table = text.slice(text.indexOf('| value |')).split('\n\n')[0] ?? ''
    expect(table.trimEnd().split('\n').slice(2)).toEqual(lines)
  })
})
