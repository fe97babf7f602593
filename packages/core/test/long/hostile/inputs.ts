// The table of hostile inputs and their outcomes.
import { FRAME_KIND, MAX_BATCH } from '@sallyport/protocol/internal/wire'
import type { FuzzFrame } from '../../fuzz/frames.js'
import { Packr } from 'msgpackr/pack'
import { call } from '../../support/peer.js'

export interface Input {
  readonly name: string
  readonly frame: FuzzFrame
  /** Code of the error that is answered; `undefined` for no answer, `any` for a typed error or no answer. */
  readonly code: number | 'any' | undefined
  /** True if the session or the gate is closed. */
  readonly closes: boolean
}

const MILLION = 1_000_000
const PARSE = -32_700
const INVALID = -32_600
const NOT_FOUND = -32_601
const BAD_PARAMS = -32_602

const json = (name: string, text: string | Uint8Array, code: Input['code'], closes = false): Input => ({
  name,
  frame: { kind: FRAME_KIND.json, body: typeof text === 'string' ? Buffer.from(text) : text },
  code,
  closes,
})
const msgpack = (name: string, ...parts: (readonly number[] | Uint8Array)[]): Input => ({
  name: `msgpack: ${name}`,
  frame: { kind: FRAME_KIND.msgpack, body: Buffer.concat(parts.map(part => Uint8Array.from(part))) },
  code: PARSE,
  closes: true,
})
const jsonBytes = (name: string, body: Uint8Array): Input => ({
  name: `JSON with bytes ${name}`,
  frame: { kind: FRAME_KIND.jsonBytes, body },
  code: PARSE,
  closes: true,
})
const plain = new Packr({ useRecords: false })
/** Returns a message in valid msgpack. */
const packed = (name: string, message: unknown, code: Input['code'], closes = false): Input => ({
  name: `msgpack: ${name}`,
  frame: { kind: FRAME_KIND.msgpack, body: plain.pack(message) },
  code,
  closes,
})
const counting = (changes: object): object => ({ jsonrpc: '2.0', id: 1, method: 'count', ...changes })
const notify = (method: string, params: string): string => `{"jsonrpc":"2.0","method":"${method}","params":${params}}`
const nested = (depth: number, inside: string): string => '{"a":'.repeat(depth) + inside + '}'.repeat(depth)
const withParams = (params: string): string => call(1, 'count', `,"params":${params}`)

/** Returns `{ jsonrpc: '2.0', id: 1, method: 'count', params: … }` with other members. */
const before = Buffer.from('\x84\xa7jsonrpc\xa32.0\xa2id\x01\xa6method\xa5count\xa6params', 'latin1')
const proto = Buffer.from('\xa9__proto__', 'latin1')

const methods = ['__proto__', 'constructor', 'toString', 'hasOwnProperty', 'valueOf', 'then'].map(name =>
  json(`method ${name}`, call(1, name), NOT_FOUND),
)
const ids = ['1.5', '9007199254740993', '[1]', '{"a":1}', 'true'].map(id =>
  json(`id ${id}`, `{"jsonrpc":"2.0","id":${id},"method":"count"}`, INVALID),
)
const hugeNumbers = ['1e400', '-1E+0000400', '9'.repeat(400)].flatMap(number => [
  json(`the number ${number.slice(0, 12)}`, withParams(`{"a":[${number}]}`), PARSE, true),
  json(`the number ${number.slice(0, 12)} as an id`, `{"jsonrpc":"2.0","id":${number},"method":"count"}`, PARSE, true),
  json(`the number ${number.slice(0, 12)} in an answer`, `{"jsonrpc":"2.0","id":1,"result":${number}}`, PARSE, true),
])
const withChannels = (channels: string, params = '{"a":"__CHANNEL__:1","b":"text"}'): string =>
  call(1, 'count', `,"params":${params},"channels":${channels}`)
/** 10⁵ arguments that are channels. */
const MANY = Array.from({ length: 100_000 }, (_, i) => i)
const channels = [
  ...['[]', '"a"', '["a"]', '7', 'null', '{"b":1}', '{"c":1}', '{"a":2}', '{"a":"1"}', '{"a":1.5}', '{"a":-1}'].map(
    text => json(`channels ${text}`, withChannels(text), INVALID),
  ),
  json('a channel that every object has', withChannels('{"toString":1}'), INVALID),
  json('a channel of 33 bits', withChannels('{"a":4294967296}', '{"a":"__CHANNEL__:4294967296"}'), INVALID),
  json('channels without params', call(1, 'count', ',"channels":{"a":1}'), INVALID),
  json('a channel __proto__', withChannels('{"__proto__":1}'), PARSE, true),
  json('a channel __proto__ that is escaped', withChannels('{"\\u005f_proto__":1}'), PARSE, true),
  json(
    '10⁵ channels',
    withChannels(
      `{${MANY.map(id => `"a${id}":${id}`).join()}}`,
      `{${MANY.map(id => `"a${id}":"__CHANNEL__:${id}"`).join()}}`,
    ),
    INVALID,
  ),
]
const params = ['[1]', '"text"', '5', 'true'].map(text => json(`params ${text}`, withParams(text), INVALID))
const protos = [1, 20, 55].map(depth =>
  json(`__proto__ ${depth} deep`, withParams(nested(depth, '{"__proto__":{"polluted":1}}')), PARSE, true),
)
const packedProtos = [1, 20, 55].map(depth =>
  msgpack(
    `__proto__ ${depth} deep`,
    before,
    Array.from({ length: depth }, () => 0x91),
    [0x81],
    proto,
    [1],
  ),
)
const extensions: Input[] = [
  msgpack('a RegExp', before, [0xc7, 3, 0x78, 0x92, 0xa1, 0x61]),
  msgpack('an Error', before, [0xc7, 3, 0x65, 0x92, 0xa1, 0x61]),
  msgpack('a value that is itself', before, [0xd6, 0x69, 0, 0, 0, 1, 0x91, 0xd6, 0x70, 0, 0, 0, 1]),
  msgpack('a typed array', before, [0xc7, 2, 0x74, 6, 0]),
  msgpack('a record', before, [0xd4, 0x72, 0x40, 0x91, 0xa1, 0x61, 1]),
  msgpack('a Set', before, [0xd4, 0x73, 0, 0x91, 1]),
  msgpack('an extension of 4 GiB', before, [0xc9, 255, 255, 255, 255, 1]),
  msgpack('a text of 4 GiB', before, [0xdb, 255, 255, 255, 255]),
  msgpack('bytes of 4 GiB', before, [0xc6, 255, 255, 255, 255]),
  msgpack('a list of 2^32 values', before, [0xdd, 255, 255, 255, 255]),
  msgpack('a map of 2^32 members', before, [0xdf, 255, 255, 255, 255]),
  msgpack('lists in lists, a million deep', before, new Uint8Array(MILLION).fill(0x91), [1]),
  msgpack('a million messages', [0xdd, 0, 15, 66, 64], new Uint8Array(MILLION).fill(1)),
  msgpack('garbage', [0xc1, 0xff, 0, 17, 200, 3]),
]

const inMsgpack: Input[] = [
  ...['__proto__', 'constructor', 'toString'].map(name =>
    packed(`method ${name}`, counting({ method: name }), NOT_FOUND),
  ),
  packed('an empty method', counting({ method: '' }), INVALID),
  packed('a method that is bytes', counting({ method: new Uint8Array(3) }), INVALID),
  packed('a method of 1 MiB', counting({ method: 'x'.repeat(2 ** 20) }), NOT_FOUND),
  ...[1.5, 2n ** 53n + 1n, -(2n ** 60n), NaN, [1], { a: 1 }, true, new Date(0), new Uint8Array(2)].map((id, i) =>
    packed(`id ${i}, ${String(id)}`, counting({ id }), INVALID),
  ),
  ...[[1], 'text', 5, true, 2n ** 60n, new Date(0)].map((value, i) =>
    packed(`params ${i}, ${String(value)}`, counting({ params: value }), INVALID),
  ),
  packed('an empty batch', [], INVALID, true),
  packed('a nested batch', [[counting({})]], INVALID),
  packed('an answer to nothing', { jsonrpc: '2.0', id: 1, result: 1 }, INVALID),
  packed('an id in flight', [counting({ method: 'forever' }), counting({})], INVALID),
  packed('$/event of core', { jsonrpc: '2.0', method: '$/event', params: { ids: [1] } }, undefined),
]

/** 30 000 levels in less than 64 KiB: it is parsed without a scan, so later code must not recurse into it. */
const DEEP = '['.repeat(30_000) + ']'.repeat(30_000)
const deep = [
  json('deep, and echoed', call(1, 'echo', `,"params":{"a":${DEEP}}`), 'any'),
  json('deep, as an event', call(1, 'plugin:event|emit', `,"params":{"event":"private","payload":${DEEP}}`), 'any'),
  json('deep, as a target', call(1, 'plugin:event|listen', `,"params":{"event":"e","target":${DEEP}}`), 'any'),
  json('deep, as headers', call(1, 'count', `,"headers":{"a":${DEEP}}`), INVALID),
  json('deep, as an id', `{"jsonrpc":"2.0","id":${DEEP},"method":"count"}`, INVALID),
  json('deep, as a message', DEEP, INVALID),
  json('deep, as an answer', `{"jsonrpc":"2.0","id":1,"result":${DEEP}}`, INVALID),
]

const cancels = ['"x"', '{}', 'null', '1.5', '-1', '[1]', '"__proto__"'].map(id =>
  json(`a cancel of ${id}`, notify('$/cancelRequest', `{"id":${id}}`), undefined),
)
const credits = ['"1"', '{}', 'null', '1.5', '-1', '1e300'].flatMap(number => [
  json(`credit of ${number}`, notify('$/credit', `{"channel":1,"bytes":${number}}`), undefined),
  json(`the end of channel ${number}`, notify('$/closeChannel', `{"channel":${number}}`), undefined),
])
const headers = ['[]', '"text"', '5', '{"a":1}', '{"a":null}', '{"sallyport-stream":"__CHANNEL__:x"}'].map(text =>
  json(`headers ${text}`, call(1, 'count', `,"headers":${text}`), INVALID),
)

export const INPUTS: readonly Input[] = [
  ...inMsgpack,
  ...deep,
  ...cancels,
  ...credits,
  ...headers,
  json('a rejection of a gate', call(1, '$/rejected', ',"params":{"id":2,"error":{"code":1,"message":"x"}}'), INVALID),
  json('an id in flight', `[${call(1, 'forever')},${call(1, 'count')}]`, INVALID),
  json('objects a million deep', withParams(nested(MILLION, '1')), PARSE, true),
  json(
    'an answer with a result and an error',
    '{"jsonrpc":"2.0","id":1,"result":1,"error":{"code":1,"message":""}}',
    INVALID,
  ),
  json('an answer with an invalid error', '{"jsonrpc":"2.0","id":1,"error":[]}', INVALID),
  json('a resource of another', call(1, 'plugin:resources|close', ',"params":{"rid":1}'), BAD_PARAMS),
  jsonBytes('without a text', Buffer.alloc(9)),
  jsonBytes('cut short', Buffer.from([255, 255, 255, 255, 0x7b, 0x7d])),
  jsonBytes('that no message has', Buffer.concat([Buffer.from([0, 0, 0, 2]), Buffer.from('{}x')])),
  ...[0, 3, 6, 9, 255].map(kind => ({
    name: `a frame of kind ${kind}`,
    frame: { kind, body: Buffer.alloc(9) },
    code: 'any' as const,
    closes: true,
  })),
  ...methods,
  json('an empty method', call(1, ''), INVALID),
  json('a method of 1 MiB', call(1, 'x'.repeat(2 ** 20)), NOT_FOUND),
  ...ids,
  ...hugeNumbers,
  ...channels,
  ...params,
  json('params a million deep', withParams('['.repeat(MILLION) + ']'.repeat(MILLION)), PARSE, true),
  ...protos,
  ...packedProtos,
  ...extensions,
  json('an empty batch', '[]', INVALID, true),
  json('a nested batch', `[[${call(1, 'count')}]]`, INVALID),
  json('a million messages', `[${'1,'.repeat(MILLION)}1]`, PARSE, true),
  json('a frame over the limit', `"${'x'.repeat(2 ** 24)}"`, PARSE, true),
  json('invalid UTF-8', Uint8Array.of(0x22, 0xff, 0xc0, 0x80, 0x22), PARSE, true),
  json('garbage', Uint8Array.of(0, 255, 17, 200), PARSE, true),
  json('an answer to nothing', '{"jsonrpc":"2.0","id":1,"result":1}', INVALID),
  json('events without a list', notify('$/emit', '{"event":"e","payloads":1}'), undefined),
  json('reserved events', notify('$/emit', '{"event":"tauri://destroyed","payloads":[1,2]}'), undefined),
  json('events with an id', call(1, '$/emit', ',"params":{"event":"e","payloads":[1]}'), INVALID),
  json(
    'calls as events',
    notify('$/emit', `{"event":"e","payloads":[${call(1, 'count')},${call(2, 'count')}]}`),
    undefined,
  ),
  json(
    'events with the name of a method',
    notify('$/emit', '{"event":"$/rejected","payloads":[{"id":1,"error":{}}]}'),
    undefined,
  ),
  json(
    'a rejection after events',
    `[${notify('$/emit', '{"event":"e","payloads":[1]}')},${notify('$/rejected', '{"id":1}')}]`,
    undefined,
  ),
  packed('events', { jsonrpc: '2.0', method: '$/emit', params: { event: 'e', payloads: [1] } }, undefined),
  json('too many events', notify('$/emit', `{"event":"e","payloads":[${'1,'.repeat(MAX_BATCH)}1]}`), INVALID, true),
  ...['$/event', '$/channel', '$/nothing', '$/'].flatMap(method => [
    json(`core's own ${method}`, notify(method, '{"channel":1,"event":"private","ids":[1],"index":0}'), undefined),
    json(`core's own ${method}, as a call`, call(1, method), INVALID),
  ]),
  json('a cancel of the call of another', notify('$/cancelRequest', '{"id":1}'), undefined),
  json('credit for a channel of another', notify('$/credit', '{"channel":1,"bytes":1000}'), undefined),
  json('the end of a channel of another', notify('$/closeChannel', '{"channel":1}'), undefined),
  json(
    'a listener of another',
    call(1, 'plugin:event|unlisten', ',"params":{"event":"private","eventId":1}'),
    undefined,
  ),
  ...['{"kind":"Any"}', '{"kind":"Webview","label":"honest"}'].map(target =>
    json(
      `a listener to events of another, ${target}`,
      call(1, 'plugin:event|listen', `,"params":{"event":"private","target":${target}}`),
      undefined,
    ),
  ),
  json(
    'an event of control characters',
    call(1, 'plugin:event|listen', ',"params":{"event":"a\\u001b[31m\\n"}'),
    BAD_PARAMS,
  ),
  json(
    'a label of control characters',
    call(
      1,
      'plugin:event|emit_to',
      ',"params":{"target":{"kind":"Webview","label":"\\u0000\\n"},"event":"\\u0007","payload":1}',
    ),
    -32_602,
  ),
]
