// The table of hostile inputs: what is sent, and what comes of it.
import { FRAME_KIND } from '@sallyport/protocol'
import type { FuzzFrame } from '../fuzz/frames.js'
import { call } from '../peer.js'

export interface Input {
  readonly name: string
  readonly frame: FuzzFrame
  /** Of the error that comes back; `undefined` where nothing does. */
  readonly code: number | undefined
  /** The session, or the gate, is closed. */
  readonly closes: boolean
}

const MILLION = 1_000_000
const PARSE = -32_700
const INVALID = -32_600
const NOT_FOUND = -32_601

const json = (name: string, text: string | Uint8Array, code: number | undefined, closes = false): Input => ({
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
const notify = (method: string, params: string): string => `{"jsonrpc":"2.0","method":"${method}","params":${params}}`
const nested = (depth: number, inside: string): string => '{"a":'.repeat(depth) + inside + '}'.repeat(depth)
const withParams = (params: string): string => call(1, 'count', `,"params":${params}`)

/** `{ jsonrpc: '2.0', id: 1, method: 'count', params: … }`, but for what stands there. */
const before = Buffer.from('\x84\xa7jsonrpc\xa32.0\xa2id\x01\xa6method\xa5count\xa6params', 'latin1')
const proto = Buffer.from('\xa9__proto__', 'latin1')

const methods = ['__proto__', 'constructor', 'toString', 'hasOwnProperty', 'valueOf', 'then'].map(name =>
  json(`method ${name}`, call(1, name), NOT_FOUND),
)
const ids = ['1.5', '9007199254740993', '[1]', '{"a":1}', 'true', '1e400'].map(id =>
  json(`id ${id}`, `{"jsonrpc":"2.0","id":${id},"method":"count"}`, INVALID),
)
const params = ['[1]', '"text"', '5', 'true'].map(given => json(`params ${given}`, withParams(given), INVALID))
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

export const INPUTS: readonly Input[] = [
  ...methods,
  json('an empty method', call(1, ''), INVALID),
  json('a method of 1 MiB', call(1, 'x'.repeat(2 ** 20)), NOT_FOUND),
  ...ids,
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
  ...['$/event', '$/channel', '$/nothing', '$/'].flatMap(method => [
    json(`core’s own ${method}`, notify(method, '{"channel":1,"event":"private","ids":[1],"index":0}'), undefined),
    json(`core’s own ${method}, as a call`, call(1, method), INVALID),
  ]),
  json('a cancel of another’s call', notify('$/cancelRequest', '{"id":1}'), undefined),
  json('credit for another’s channel', notify('$/credit', '{"channel":1,"messages":1000}'), undefined),
  json('the end of another’s channel', notify('$/closeChannel', '{"channel":1}'), undefined),
  json('another’s listener', call(1, 'plugin:event|unlisten', ',"params":{"event":"private","eventId":1}'), undefined),
  ...['{"kind":"Any"}', '{"kind":"Webview","label":"honest"}'].map(target =>
    json(
      `a listener to another’s events, ${target}`,
      call(1, 'plugin:event|listen', `,"params":{"event":"private","target":${target}}`),
      undefined,
    ),
  ),
  json(
    'an event of control characters',
    call(1, 'plugin:event|listen', ',"params":{"event":"a\\u001b[31m\\n"}'),
    -32_602,
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
