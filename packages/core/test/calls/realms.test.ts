// Values of another realm, as `node:vm` and jsdom make them: they cross as those of the own realm do.
import { Channel } from '@sallyport/frontend/internal'
import { JSDOM } from 'jsdom'
import { isDeepStrictEqual } from 'node:util'
import { createContext, runInContext, runInThisContext } from 'node:vm'
import { expect, test } from 'vitest'
import { rows } from '../../../../scripts/testing.js'
import { defineCore } from '../../src/index.js'
import { start } from '../support/start.js'

const BYTES = 'Uint8Array.from([1, 2, 3])'
const tagged = (tag: string): string => `new (class { get [Symbol.toStringTag]() { return '${tag}' } })()`
const VALUES = [
  ...[`${BYTES}.buffer`, BYTES, `new (class extends Uint8Array {})(3)`, `new (class extends ArrayBuffer {})(3)`],
  ...['new ArrayBuffer(0)', `[${BYTES}]`, `{ a: ${BYTES}.buffer }`, `${BYTES}.subarray(1)`],
  `Object.defineProperty(${BYTES}.buffer, Symbol.toStringTag, { value: 'X' })`,
  ...['Float64Array', 'BigInt64Array', 'Uint8ClampedArray'].map(name => `new ${name}(1)`),
  ...[
    'new DataView(new ArrayBuffer(2))',
    'new SharedArrayBuffer(2)',
    'new Date(5)',
    'new Date(NaN)',
    '[new Date(NaN)]',
  ],
  ...['new Map([[1, 2]])', 'new Set([1])', 'new WeakMap()', 'new WeakSet()', 'new WeakRef({})', '/x/g'],
  ...['new Error("x")', 'new (class extends TypeError {})("x")', 'new AggregateError([])', 'Promise.resolve(1)'],
  ...['() => 1', 'async () => 1', 'class {}', 'Symbol("x")', 'Object(Symbol("x"))', 'Object(1n)', 'new Number(NaN)'],
  ...[
    'new Boolean(true)',
    'new Number(3)',
    'new String("s")',
    '(function* () {})()',
    '[1].values()',
    'new Map().keys()',
  ],
  ...['(async function* () {})()', '{ async *[Symbol.asyncIterator]() {} }', '{ a: [1, { b: 2 }] }', '[[1], { a: 2 }]'],
  ...['new Intl.NumberFormat("en")', 'new Intl.Locale("en")', 'new WebAssembly.Memory({ initial: 1 })'],
  // What Node gives to no context, and a window has of its own.
  ...['DOMException', 'Headers', 'FormData', 'Request', 'Response', 'Blob', 'File', 'AbortSignal'].map(tagged),
  ...['URLSearchParams', 'ReadableStream', 'WritableStream'].map(tagged),
]
/** Of the window of a jsdom, which has some that no context of Node has. */
const PAGE_VALUES = [
  ...[`${BYTES}.buffer`, BYTES, 'new Date(5)', 'new Map()', 'new TypeError("x")', 'new DOMException("x")'],
  ...['new URL("http://a/b")', 'new URLSearchParams("a=1")', 'new Headers({ a: "1" })', 'new FormData()'],
  ...['new Blob(["x"])', 'new File([], "a")', 'new AbortController().signal', '{ url: new URL("http://a/b") }'],
]

const isEmptied = (value: unknown): boolean => isDeepStrictEqual(value, {}) || isDeepStrictEqual(value, { v: {} })

test('a value of another realm arrives as one of the own does, or is refused as it is, by each codec and on each way', () =>
  rows(['json', 'msgpack'] as const)(async codec => {
    let current: unknown
    const core = defineCore({
      commands: {
        echo: (args: unknown) => args,
        give: () => current,
        send: ({ channel }: { channel: { send(value: unknown): unknown } }) => channel.send(current),
        async *stream() {
          yield current
        },
      },
    })
    const bus = await start({ core, codec })
    const client = await bus.connect('main')
    const received: ((value: unknown) => void)[] = []
    await client.listen('said', ({ payload }) => received.shift()!(payload))
    const ways: Record<string, (value: unknown) => Promise<unknown>> = {
      'an argument': v => client.invoke('echo', { v }),
      'all arguments': v => client.invoke('echo', v as object),
      'within an argument': v => client.invoke('echo', { v: [{ v }] }),
      'a result': v => ((current = v), client.invoke('give')),
      'in a result': v => ((current = { v }), client.invoke('give')),
      'an event': v =>
        new Promise((resolve, reject) => {
          received[0] = resolve
          client.emit('said', v).catch(reject)
        }),
      'a channel': v => {
        current = v
        const channel = new Channel()
        return new Promise((resolve, reject) => {
          channel.onmessage = resolve
          client.invoke('send', { channel }).catch(reject)
        })
      },
      'a stream': async v => {
        current = v
        for await (const each of client.stream('stream')) return each
      },
    }
    const realm = createContext()
    const { window } = new JSDOM('', { runScripts: 'outside-only' })
    const values = [
      ...VALUES.map(code => [code, runInContext(`(${code})`, realm)] as const),
      ...PAGE_VALUES.map(code => [`${code}`, window.eval(`(${code})`)] as const),
    ]
    await rows(values)(async (code, foreign: unknown) => {
      const own = runInThisContext(`(${code})`) as unknown
      for (const [name, send] of Object.entries(ways)) {
        const settle = (value: unknown) =>
          send(value).then(
            arrived => ({ arrived }),
            ({ reason, message }: Error & { reason: string }) => ({
              reason,
              message: message.replace(/channel \d+/, 'channel'),
            }),
          )
        // A list has no names, and a stream of its own is consumed.
        const [told, expected] = [await settle(foreign), await settle(own)]
        expect(told, name).toEqual(expected)
        expect('arrived' in told && isEmptied(told.arrived), name).toBe(false)
      }
    })
  }))
