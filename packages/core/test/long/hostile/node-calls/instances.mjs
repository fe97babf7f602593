// Objects of Node, for the fuzzer: each is what documented code has.
import { AsyncLocalStorage, AsyncResource, createHook } from 'node:async_hooks'
import buffer from 'node:buffer'
import { ChildProcess } from 'node:child_process'
import { Worker } from 'node:cluster'
import crypto from 'node:crypto'
import dgram from 'node:dgram'
import diagnostics from 'node:diagnostics_channel'
import dns from 'node:dns'
import { EventEmitter, EventEmitterAsyncResource, on } from 'node:events'
import fs from 'node:fs'
import http from 'node:http'
import http2 from 'node:http2'
import module, { createRequire, Module } from 'node:module'
import net from 'node:net'
import perfHooks, { monitorEventLoopDelay } from 'node:perf_hooks'
import readline from 'node:readline'
import stream from 'node:stream'
import { StringDecoder } from 'node:string_decoder'
import tls from 'node:tls'
import url from 'node:url'
import util from 'node:util'
import v8 from 'node:v8'
import vm from 'node:vm'
import zlib from 'node:zlib'

const own = new URL(import.meta.url)
const quiet = emitter => emitter.on('error', () => {})

let connection
/** Returns an HTTP/2 session over a stream in memory. */
const connect = () => {
  if (!connection) {
    const [near, far] = stream.duplexPair?.() ?? [new stream.PassThrough(), new stream.PassThrough()]
    const server = http2.createServer()
    server.emit('connection', far)
    connection = quiet(http2.connect('http://localhost', { createConnection: () => near }))
  }
  return connection
}

const open = name => () => quiet(zlib[name]())
const compressors = ['Gzip', 'Gunzip', 'Deflate', 'Inflate', 'DeflateRaw', 'InflateRaw', 'Unzip']
const more = ['BrotliCompress', 'BrotliDecompress', 'ZstdCompress', 'ZstdDecompress']

/** Functions that make an object. Each call returns another one where that is cheap. */
export const instances = {
  AsyncLocalStorage: () => new AsyncLocalStorage(),
  AsyncResource: () => new AsyncResource('x'),
  AsyncHook: () => createHook({}),
  Blob: () => new Blob(['x']),
  File: () => new buffer.File(['x'], 'x'),
  Buffer: () => Buffer.from('banana'),
  ChildProcess: () => new ChildProcess(),
  ClusterWorker: () => new Worker({}),
  Certificate: () => new crypto.Certificate(),
  ECDH: () => crypto.createECDH('secp256k1'),
  KeyObject: () => crypto.createSecretKey(Buffer.alloc(16)),
  Sign: () => crypto.createSign('sha256'),
  Verify: () => crypto.createVerify('sha256'),
  SubtleCrypto: () => crypto.webcrypto.subtle,
  DatagramSocket: () => quiet(dgram.createSocket('udp4')),
  Channel: () => diagnostics.channel('x'),
  TracingChannel: () => diagnostics.tracingChannel('x'),
  Resolver: () => new dns.Resolver(),
  EventEmitter: () => quiet(new EventEmitter()),
  EventEmitterAsyncResource: () => quiet(new EventEmitterAsyncResource({ name: 'x' })),
  EventIterator: () => on(new EventEmitter(), 'x'),
  EventTarget: () => new EventTarget(),
  Event: () => new Event('x'),
  AbortSignal: () => new AbortController().signal,
  AbortController: () => new AbortController(),
  DOMException: () => new DOMException('x'),
  ReadStream: () => quiet(fs.createReadStream(own)),
  Dirent: () => fs.readdirSync(new URL('.', own), { withFileTypes: true })[0],
  Dir: () => fs.opendirSync(new URL('.', own)),
  Stats: () => fs.statSync(own),
  BigIntStats: () => fs.statSync(own, { bigint: true }),
  HttpServer: () => quiet(http.createServer()),
  HttpAgent: () => new http.Agent(),
  IncomingMessage: () => new http.IncomingMessage(new stream.PassThrough()),
  OutgoingMessage: () => quiet(new http.OutgoingMessage()),
  ServerResponse: () => quiet(new http.ServerResponse(new http.IncomingMessage(new stream.PassThrough()))),
  Http2Server: () => quiet(http2.createServer()),
  Http2Session: connect,
  Http2Stream: () => quiet(connect().request()),
  Module: () => new Module('x'),
  require: () => createRequire(own),
  SourceMap: () => new module.SourceMap({ version: 3, sources: [], mappings: '' }),
  BlockList: () => new net.BlockList(),
  SocketAddress: () => new net.SocketAddress(),
  Socket: () => quiet(new net.Socket()),
  NetServer: () => quiet(net.createServer()),
  SecureContext: () => tls.createSecureContext(),
  TLSSocket: () => quiet(new tls.TLSSocket(new stream.PassThrough())),
  Histogram: () => perfHooks.createHistogram(),
  IntervalHistogram: () => monitorEventLoopDelay(),
  PerformanceObserver: () => new perfHooks.PerformanceObserver(() => {}),
  Interface: () => readline.createInterface({ input: new stream.PassThrough() }),
  Readable: () => quiet(stream.Readable.from(['x'])),
  Writable: () => quiet(new stream.Writable({ write: (_chunk, _encoding, callback) => callback() })),
  Duplex: () => quiet(new stream.Duplex({ read: () => {}, write: (_chunk, _encoding, callback) => callback() })),
  PassThrough: () => quiet(new stream.PassThrough()),
  ReadableStream: () => new ReadableStream(),
  ByteStream: () => new ReadableStream({ type: 'bytes' }),
  ReadableStreamReader: () => new ReadableStream().getReader(),
  ByobReader: () => new ReadableStream({ type: 'bytes' }).getReader({ mode: 'byob' }),
  WritableStream: () => new WritableStream(),
  WritableStreamWriter: () => new WritableStream().getWriter(),
  TransformStream: () => new TransformStream(),
  CompressionStream: () => new CompressionStream('gzip'),
  TextDecoderStream: () => new TextDecoderStream(),
  StringDecoder: () => new StringDecoder(),
  TextDecoder: () => new TextDecoder(),
  TextEncoder: () => new TextEncoder(),
  Timeout: () => setTimeout(() => {}, 1),
  Immediate: () => setImmediate(() => {}),
  URL: () => new URL('http://x/'),
  URLPattern: () => new URLPattern({ pathname: '/:x' }),
  URLSearchParams: () => new URLSearchParams('a=1'),
  URLSearchParamsIterator: () => new URLSearchParams('a=1').entries(),
  Url: () => url.parse('http://x/'),
  MIMEType: () => new util.MIMEType('text/plain'),
  MIMEParams: () => new util.MIMEType('text/plain;a=1').params,
  Serializer: () => new v8.Serializer(),
  DefaultSerializer: () => new v8.DefaultSerializer(),
  Deserializer: () => new v8.Deserializer(v8.serialize({ x: 1 })),
  GCProfiler: () => new v8.GCProfiler(),
  HeapSnapshot: () => v8.startupSnapshot,
  Script: () => new vm.Script('1'),
  Context: () => vm.createContext({}),
  MessageChannel: () => new MessageChannel(),
  MessagePort: () => new MessageChannel().port1,
  Headers: () => new Headers(),
  Request: () => new Request('http://x/'),
  Response: () => new Response('x'),
  FormData: () => new FormData(),
  Storage: () => sessionStorage,
  stdout: () => process.stdout,
  ...Object.fromEntries([...compressors, ...more].map(name => [name, open(`create${name}`)])),
}

/** Streams of `node:crypto` end the process if they get objects (`objectMode`): docs/reference/security.md says so. */
export const cryptoStreams = {
  Cipher: () => crypto.createCipheriv('aes-128-gcm', Buffer.alloc(16), Buffer.alloc(12)),
  Decipher: () => crypto.createDecipheriv('aes-128-cbc', Buffer.alloc(16), Buffer.alloc(16)),
  Hash: () => crypto.createHash('sha256'),
  Hmac: () => crypto.createHmac('sha256', 'x'),
}
