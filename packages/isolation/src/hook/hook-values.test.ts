// Payloads of a sandboxed hook that are not plain data. Each is sealed as the codec's table says (docs/guide/commands.md), or its call is rejected.
// The next message passes in any case.
import { type CodecName, codecs } from '@sallyport/protocol/internal/codec'
import { FRAME_KIND } from '@sallyport/protocol/internal/wire'
import { describe, expect, test } from 'vitest'
import { rows } from '../../../../scripts/testing.js'
import { call, setUp, settled } from '../../test/gate.js'
import { sandboxed } from '../../test/sandboxed.js'

type Outcome = { json: unknown; msgpack: unknown }

async function send(codec: CodecName, payload: string): Promise<unknown> {
  const { fn } = sandboxed(`message => (message.cmd === 'next' ? message : { ...message, payload: ${payload} })`)
  const { frontendLink, sealed, responses, rejected, isClosed } = setUp(fn)
  for (const message of [call(1), call(2, 'next')]) {
    frontendLink.send({ kind: FRAME_KIND[codec], body: codecs[codec].encode(message) as Uint8Array })
  }
  await settled()
  expect(isClosed()).toBe(false)
  expect(sealed.at(-1)).toEqual(call(2, 'next'))
  if (sealed.length === 2) return sealed[0].params
  expect(responses).toMatchObject([{ id: 1, error: { code: -32002, data: { why: 'malformed' } } }])
  expect(responses[0].error.message).toMatch(/\(it (?:cannot be serialized|did not return a message)\)/)
  expect(rejected).toHaveLength(1)
  return REJECTED
}

const REJECTED = 'rejected'
const both = (value: unknown): Outcome => ({ json: value, msgpack: value })

const CODECS = ['json', 'msgpack'] as const

describe('the payload of a hook, in both codecs,', () => {
  test('is sealed or rejected, whatever it is or contains', () =>
    rows<[what: string, payload: string, Outcome]>([
      ['a function', '() => 1', both(REJECTED)],
      ['a function inside', '{ f() {}, n: 1 }', both(REJECTED)],
      ['a class inside', '{ C: class {}, n: 1 }', both(REJECTED)],
      ['an instance', 'new (class { n = 1; get m() { return 2 } })()', both({ n: 1 })],
      ['a symbol', '{ s: Symbol("s"), n: 1 }', both(REJECTED)],
      ['a symbol as a name', '{ [Symbol("s")]: 1, n: 1 }', both({ n: 1 })],
      ['NaN', '{ n: NaN }', { json: REJECTED, msgpack: { n: Number.NaN } }],
      ['bytes deeper down', '{ a: [new Uint8Array(1)] }', both({ a: [new Uint8Array(1)] })],
      ['a Map', 'new Map([["a", 1]])', both(REJECTED)],
      ['a Set inside', '{ s: new Set([1]) }', both(REJECTED)],
      ['a Date', 'new Date(0)', both(REJECTED)],
      ['a Date inside', '{ d: new Date(0) }', { json: { d: '1970-01-01T00:00:00.000Z' }, msgpack: { d: new Date(0) } }],
      ['a BigInt inside', '{ n: 1n }', { json: REJECTED, msgpack: { n: 1n } }],
      ['a boxed string', 'new String("a")', both(REJECTED)],
      ['a cycle', '(() => { const a = {}; a.a = a; return a })()', both(REJECTED)],
      ['great depth', '(() => { let a = {}; for (let i = 0; i < 1e5; i++) a = { a }; return a })()', both(REJECTED)],
      ['great length', '{ a: Array(1_100_000).fill(0) }', both(REJECTED)],
      ['a frozen object', 'Object.freeze({ a: Object.seal([1]) })', both({ a: [1] })],
      ['no prototype', 'Object.assign(Object.create(null), { a: 1 })', both({ a: 1 })],
      ['inherited members', 'Object.create({ x: 1 }, { y: { value: 2, enumerable: true } })', both({ y: 2 })],
      ['an inherited __proto__', '{ __proto__: { x: 1 }, y: 2 }', both({ y: 2 })],
      ['an own __proto__', `JSON.parse('{"__proto__":{"x":1}}')`, both(REJECTED)],
      ['an own __proto__ deep down', `JSON.parse('{"a":[{"__proto__":1}]}')`, both(REJECTED)],
      [
        'an own __proto__ deep down, and bytes',
        `{ ...JSON.parse('{"a":[{"__proto__":1}]}'), b: new Uint8Array(2) }`,
        both(REJECTED),
      ],
      ['holes', '{ a: [1, , 3] }', { json: { a: [1, null, 3] }, msgpack: { a: [1, undefined, 3] } }],
      ['a proxy', 'new Proxy({ a: 1 }, {})', both({ a: 1 })],
      ['a proxy of an array', 'new Proxy([1], {})', both(REJECTED)],
      ['a proxy of bytes', '{ b: new Proxy(new Uint8Array(2), {}) }', both(REJECTED)],
      ['a proxy that throws', 'new Proxy({}, { ownKeys() { throw 1 }, get() { throw 1 } })', both(REJECTED)],
      ['an object with the prototype of bytes', '{ b: Object.create(Uint8Array.prototype) }', both(REJECTED)],
      ['an ArrayBuffer', '{ b: new ArrayBuffer(2) }', both({ b: new Uint8Array(2) })],
      ['other typed arrays', '{ b: new Uint16Array(1) }', both(REJECTED)],
      ['a view', '{ b: new DataView(new ArrayBuffer(2)) }', both(REJECTED)],
      ['an error', '{ e: new Error("x") }', both(REJECTED)],
      ['a promise', '{ p: Promise.resolve(1) }', both(REJECTED)],
      ['a generator', '(function* () { yield 1 })()', both(REJECTED)],
    ])(async (_what, payload, expected) => {
      for (const codec of CODECS) expect(await send(codec, payload), codec).toEqual(expected[codec])
    }))

  test('is rejected when its toJSON returns no object', () =>
    rows(['"text"', '[1]', 'null', '7', 'undefined'])(async value => {
      const instance = `new (class { toJSON() { return ${value} } })()`
      for (const codec of CODECS) expect(await send(codec, instance), codec).toBe(REJECTED)
    }))

  test('is sealed with one value of a getter', () =>
    rows<[what: string, payload: string, Outcome]>([
      [
        'a string and then bytes',
        '{ get a() { return n++ ? new Uint8Array(70000) : "text" } }',
        { json: { a: Object.assign({}, new Uint8Array(70_000)) }, msgpack: { a: expect.anything() } },
      ],
      [
        'bytes and then a string',
        '{ get a() { return n++ ? "text" : new Uint8Array(70000) } }',
        both({ a: expect.anything() }),
      ],
      [
        'few bytes and then many',
        '{ get a() { return new Uint8Array(n++ ? 70000 : 1) } }',
        both({ a: expect.anything() }),
      ],
      ['a different number each time', '{ get a() { return n++ } }', both({ a: expect.any(Number) })],
    ])(async (_what, payload, expected) => {
      for (const codec of CODECS)
        expect(await send(codec, `(() => { let n = 0; return ${payload} })()`), codec).toEqual(expected[codec])
    }))

  test('is sealed as it is then, or rejected, when its bytes change during encoding', () =>
    rows([
      ['shrink', 'new Uint8Array(b)', 'b.resize(1)', 1],
      ['vanish', 'new Uint8Array(b, 0, 70000)', 'b.resize(1)', 0],
      ['grow', 'new Uint8Array(b)', 'b.resize(80000)', 80_000],
      ['are transferred', 'new Uint8Array(b)', 'b.transfer()', 0],
    ])(async (_what, bytes, change, length) => {
      const buffer = 'new ArrayBuffer(70000, { maxByteLength: 80000 })'
      const getters: [string, unknown][] = [
        [`get e() { ${change}; return 1 }`, 1],
        [`e: { get e() { ${change}; return 1 } }`, { e: 1 }],
      ]
      for (const [codec, getter, e] of CODECS.flatMap(each =>
        getters.map(([text, value]) => [each, text, value] as const),
      )) {
        const payload = `(() => { const b = ${buffer}; return { d: ${bytes}, ${getter} } })()`
        const sealed = await send(codec, payload)
        if (sealed === REJECTED) continue
        expect(sealed).toEqual({ d: expect.objectContaining({ length }), e })
        expect((sealed as { d: Uint8Array }).d.every(byte => byte === 0)).toBe(true)
      }
    }))
})
