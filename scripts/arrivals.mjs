// What a value becomes under each codec: the rows of "What arrives" in docs/guide/commands.md, which `limits.mjs` writes.
// packages/core/test/calls/arrivals.test.ts sends the same values in arguments, results, events and messages.
import { inspect, isDeepStrictEqual } from 'node:util'

class Point {
  x = 1
  f() {
    return 1
  }
  get y() {
    return 2
  }
}

const createCycle = () => {
  const cycle = []
  cycle.push(cycle)
  return cycle
}

const VIEWS = '`Float32Array` and other views than of bytes'
const ITERATORS = 'iterators'
const STREAMS = 'streams and async iterables'

/**
 * The text of a value, and what creates it. What both codecs refuse is listed below the table, where rows of the same text are one.
 *
 * @type {[text: string, create: () => unknown][]}
 */
export const ARRIVALS = [
  ['`null`, `true`, text, objects, arrays', () => ({ a: [null, true, 'text', 'é😀'] })],
  ['`[1.5, 2 ** 53 + 2]`', () => [1.5, 2 ** 53 + 2]],
  ['`-0`', () => -0],
  ['`[NaN, Infinity]`', () => [Number.NaN, Infinity]],
  ['`undefined`', () => undefined],
  ['`[undefined, 1]`', () => [undefined, 1]],
  ['`[, 1]`', () => Object.assign(Array(2), { 1: 1 })],
  ['`10n`', () => 10n],
  ['`2n ** 64n`', () => 2n ** 64n],
  ['`new Date(0)`', () => new Date(0)],
  ['`new Date(NaN)`', () => new Date(Number.NaN)],
  ['`new Uint8Array([1, 2])`', () => new Uint8Array([1, 2])],
  ['`Buffer.from([1, 2])`', () => Buffer.from([1, 2])],
  ['`new Uint8Array([1, 2]).buffer`', () => new Uint8Array([1, 2]).buffer],
  [VIEWS, () => new Float32Array([1.5])],
  [VIEWS, () => new Uint8ClampedArray(2)],
  [VIEWS, () => new DataView(new ArrayBuffer(2))],
  ['`SharedArrayBuffer`', () => new SharedArrayBuffer(2)],
  ['`Blob`', () => new Blob(['x'])],
  ['an instance: `x = 1`, a method and a getter of its class', () => new Point()],
  ['an instance with `toJSON`: `new URL("http://a/b")`', () => new URL('http://a/b')],
  ['an object literal with `toJSON: () => 1`', () => ({ toJSON: () => 1 })],
  [
    '`{ get a() { return 1 }, [Symbol()]: 2 }`',
    () => Object.defineProperty({ [Symbol('s')]: 2 }, 'a', { get: () => 1, enumerable: true }),
  ],
  ['`Object.assign(Object.create(null), { a: 1 })`', () => Object.assign(Object.create(null), { a: 1 })],
  ["`'\\ud800'`", () => '\ud800'],
  ['functions', () => () => 1],
  ['functions', () => [() => 1]],
  ['functions', () => class {}],
  ['`Symbol()`', () => Symbol('s')],
  ['`Map`', () => new Map([[1, 'a']])],
  ['`Map`', () => new Map([[{}, 'a']])],
  ['`Set`', () => new Set([1, 2])],
  [ITERATORS, () => new Map().keys()],
  [ITERATORS, () => [1].values()],
  [
    ITERATORS,
    function* () {
      yield 1
    },
  ],
  ['`WeakMap`', () => new WeakMap()],
  ['`WeakSet`', () => new WeakSet()],
  ['`WeakRef`', () => new WeakRef({})],
  ['`RegExp`', () => /a+/gi],
  ['errors', () => new TypeError('no', { cause: 1 })],
  ['errors', () => new DOMException('no')],
  ['`Object(1)`', () => new Object(1)],
  ['`Object("a")`', () => new Object('a')],
  ['`Object(true)`', () => new Object(true)],
  ['`Object(NaN)`', () => new Object(Number.NaN)],
  ['`Object(1n)`', () => new Object(1n)],
  ['`Object(Symbol())`', () => new Object(Symbol('s'))],
  ['`URLSearchParams`', () => new URLSearchParams('a=1')],
  ['`Headers`', () => new Headers({ a: '1' })],
  ['`FormData`', () => new FormData()],
  ['objects of `Intl` and `WebAssembly`', () => new Intl.NumberFormat('en')],
  ['objects of `Intl` and `WebAssembly`', () => new WebAssembly.Memory({ initial: 1 })],
  ['`Request`', () => new Request('http://a/b')],
  ['`Response`', () => new Response('x')],
  ['promises', () => Promise.resolve(1)],
  ['`AbortSignal`', () => new AbortController().signal],
  ['`MessagePort`', () => closed(new MessageChannel().port1)],
  [STREAMS, () => new ReadableStream()],
  [STREAMS, () => new TransformStream()],
  [STREAMS, () => ({ async *[Symbol.asyncIterator]() {} })],
  [STREAMS, async function* () {}],
  ['an array 70 deep ¹', () => Array.from({ length: 70 }).reduce(inner => [inner], 1)],
  ['65 536 keys', () => Object.assign({}, Array(65_536).fill(0))],
  ['a cycle', createCycle],
  ['a key `__proto__` ²', () => JSON.parse('{"__proto__":1}')],
]

/** An open port keeps its thread alive. */
function closed(port) {
  port.close()
  return port
}

/**
 * Sends a value through a codec alone.
 *
 * @param {typeof import('@sallyport/protocol/internal/codec')} protocol
 * @returns {{ value?: unknown } | undefined} what arrives of `{ value }`, or `undefined` if the codec refuses it
 */
export function getArrival({ BatchReader, codecs }, codec, value) {
  try {
    const message = codecs[codec].encode({ jsonrpc: '2.0', method: 'm', params: { value } })
    const isPacked = typeof message === 'object' && 'attachments' in message
    const { codec: framing, encoded } = isPacked ? message : { codec: codecs[codec], encoded: message }
    const [read] = new BatchReader().read(framing.kind, Buffer.from(framing.join([encoded])))
    return read.params
  } catch {
    return undefined
  }
}

function describeArrival(protocol, codec, create) {
  const value = create()
  const params = getArrival(protocol, codec, value)
  if (params === undefined) return 'refused'
  if (!('value' in params)) return 'left out'
  // Whether invalid dates are equal depends on the version of Node.
  const isInvalid = value instanceof Date && Number.isNaN(value.getTime())
  if (!isInvalid && isDeepStrictEqual(params.value, value)) return 'the same'
  return `\`${inspect(params.value).replaceAll(/\s+/g, ' ')}\``
}

/** Returns the table, and the sentence below it. */
export function toArrivalTable(protocol) {
  const rows = ARRIVALS.map(([text, create]) => {
    const [json, msgpack] = ['json', 'msgpack'].map(codec => describeArrival(protocol, codec, create))
    return { text, json, msgpack, isRefused: json === 'refused' && msgpack === 'refused' }
  })
  const lines = rows.filter(row => !row.isRefused).map(row => `| ${row.text} | ${row.json} | ${row.msgpack} |`)
  const refused = new Set(rows.filter(row => row.isRefused).map(row => row.text))
  const table = ['| value | as JSON | as MessagePack |', '|---|---|---|', ...new Set(lines)].join('\n')
  return `${table}\n\nRefused by both: ${[...refused].join('; ')}.`
}
