// The messages between the host and its workers, from thread to thread as structured clones:
//
// 1. every worker (core, a frontend, a gate) reports its state, and answers whether it still runs
// 2. host → frontend: `FrontendStart`, then `FrontendCommand`s; frontend → host: `FrontendReport`s
// 3. host → gate: `GateWorkerData`, then `GateCommand`s; gate → host: `GateReport`s and `ConfirmRequest`s; core → gate: `SessionKey`
// 4. relay → members of a process: `ProcessMessage`s, and the streams between them
//
// Those of core are in core's `contract/host-core.ts`.
import type { RecordableHistogram } from 'node:perf_hooks'
import { Deserializer, Serializer } from 'node:v8'
import type { MessagePort } from 'node:worker_threads'
import type { CodecName } from '../codec/codec.js'
import type { ReportedError } from '../errors/error-data.js'
import type { DirectSocket } from '../link/direct-socket.js'
import type { LinkEndpoint } from '../link/endpoints.js'
import { MAX_CONFIRM_TEXT, MAX_IN_FLIGHT } from '../wire/limits.js'
import type { Heartbeat, LifecycleState } from './life.js'
import type { OutputReport, OutputRequest } from './output.js'

/** Worker → host: the lifecycle of core, a frontend or a gate. */
export interface StateReport {
  type: 'state'
  state: LifecycleState
  error?: ReportedError
  /** Of a relay: it has ended code that did not answer the order to stop. */
  isUnanswered?: boolean
}

/** Host → worker: a question whether it still runs. */
export interface Question {
  type: 'ask'
}

/** Worker → host: it still runs. What it has reported before has arrived before. */
export interface Answer {
  type: 'answer'
  /** Bytes of its link that wait for the next one to take them. Untrusted. */
  queued?: number
}

// Between the host and a frontend, in a worker or a process.

/** The sandbox of a frontend that runs under Node's permission model. */
export interface FrontendSandbox {
  /** A directory without a grant that Node might let the frontend read nevertheless. */
  unexpectedRead: string | undefined
  /** True if a wall around the process closes the network. */
  closesNet?: boolean
  /** Options by which a frontend in this wall can read and write files. Without a wall: `read` and `write`. */
  files?: readonly ('read' | 'tmp' | 'write')[] | undefined
  /** True if a broker opens its connections: at the stream `network` of a process, or `broker` of its start. */
  hasBroker?: boolean
}

/** The code of a module that has no file. */
export interface ModuleText {
  text: string
  /** The name of the module in error texts and stacks. */
  name: string
  /**
   * Set if the text is the body of a function: one line each, which make a module of it. `globals` is the part of `before` that a script
   * of QuickJS needs, whose body has a function already. A script host sends no result of more than `maxResultBytes`.
   */
  wrapper?: { before: string; after: string; globals?: string; maxResultBytes?: number | undefined }
  /** Code of further modules by name, for an engine that loads no files. */
  modules?: Readonly<Record<string, string>> | undefined
}

/** A compiled engine, a `WebAssembly.Module`: threads share it. */
export type EngineModule = object

/**
 * A file of Linux: the time that the thread which opens it has run, in ns, and two other numbers. Zeros if the kernel does not count. Newer
 * versions of Node tell the time themselves.
 */
export const THREAD_TIME_FILE = '/proc/thread-self/schedstat'

/** The engine of a script that does not run in the thread's own, and its limits. */
export interface EngineOptions {
  /** MiB. */
  memory: number
  /** Milliseconds that the script can run without a pause. */
  time: number
}

export interface SuspendedScript {
  /** What it goes on from. Only a script host reads it. */
  snapshot: Uint8Array
  /** Tokens of the calls that were interrupted, with which core has answered them, in order. */
  tokens: readonly string[]
}

const MAX_TOKEN_LENGTH = 64

export const areTokens = (tokens: unknown): tokens is readonly string[] =>
  Array.isArray(tokens) &&
  tokens.length > 0 &&
  tokens.length <= MAX_IN_FLIGHT &&
  tokens.every(token => typeof token === 'string' && token.length <= MAX_TOKEN_LENGTH)

/** Rejections of one run that are reported. */
export const MAX_UNHANDLED = 20

export interface FrontendStart {
  label: string
  codec: CodecName
  /** Maximum number of calls in flight. */
  maxInFlight: number
  /** Whether further calls wait or are rejected. */
  overflow: 'wait' | 'reject'
  /** URL of the user's module. */
  module: string
  /** The module's code, if it has no file: then the URL is only the base of its imports. */
  text?: ModuleText | undefined
  /** The code of the file at `module`, if the thread must not read the file. */
  script?: string | undefined
  /** Data from the host, for `getData`. */
  data?: unknown
  /** Milliseconds for calls without a timeout of their own. */
  timeout?: number | undefined
  /** True if calls send their timeouts to core: over a network, a frontend can disappear without notice. */
  deadlines?: boolean
  /** `isDevelopment` in the host. */
  development: boolean
  /** True if stacks are mapped to the sources of the modules. */
  sourceMaps?: boolean
  sandbox?: FrontendSandbox
  /** A link to the broker of a worker. */
  broker?: LinkEndpoint
  /** Environment variables: placeholders of secrets. */
  env?: Readonly<Record<string, string>>
  /** URL of a `ScriptRunner`, which runs the module as a script without access to Node. */
  runner?: string
  /** The engine that the runner uses. */
  engine?: EngineOptions
  /** The snapshot that a script goes on from: its code does not run again. */
  snapshot?: Uint8Array | undefined
  /** The image that the snapshot differs from, if an earlier release made it. */
  image?: Uint8Array | undefined
  /** Counts what its thread prints. A process has none. */
  printed?: Uint32Array
}

export interface FrontendWorkerData extends FrontendStart {
  heartbeat: Heartbeat | undefined
}

/** Frontend → host, also: its module was evaluated, or it can read everything below a directory without having a grant. */
export type FrontendReport =
  | StateReport
  | Answer
  | { type: 'loaded' | 'synchronized' }
  | { type: 'unexpected-read'; directory: string }
  | OutputReport
  /** The script was interrupted, and runs no more. */
  | ({ type: 'suspended' } & SuspendedScript)
  /** Code of `bus.run` did not handle a rejection. At most `MAX_UNHANDLED` of these. */
  | { type: 'unhandled'; error: ReportedError }
  /** Number of calls and events that its client has refused with `Overloaded` since the previous report. */
  | { type: 'unsent'; count: number }
  /** Only of a relay, or a broker's own: it has denied a request to a host. This report stands for `more` others. */
  | { type: 'net-denied'; host: string; hint: string; more: number }

/** A plugin's script for frontends with Tauri's globals. */
export interface InitScript {
  name: string
  source: string
}

/**
 * Host → frontend: a link, a question, a request for output, or stop, after at most `timeout` milliseconds for its calls in flight. The frontend's module runs after the
 * first link. Each later link replaces the previous one. `scripts` are those of core's plugins.
 */
export type FrontendCommand =
  | { type: 'link'; link: LinkEndpoint; scripts: readonly InitScript[] }
  | Question
  | OutputRequest
  | { type: 'stop'; timeout: number }

// Between the host and a gate, and between core and a gate.

/** The data of a thread for gates. A `GateWorkerData` follows: as the first message for one gate, or for each of several as a member. */
export interface GateThreadData {
  isShared: boolean
  /** True for a thread that waits for its gate: it has time to load what runs a hook. */
  preloadsHook: boolean
  /** True for a thread that has time to run the path of a call. */
  warmsUp: boolean
}

export interface GateWorkerData {
  label: string
  /** URL of the isolation app's directory. Without one, everything passes. */
  dir: string | undefined
  legacyMessages: boolean
  /** `isDevelopment` in the host. */
  development: boolean
  heartbeat: Heartbeat | undefined
  /** Port to the host for `ConfirmRequest`, and the memory for its answer; see `CONFIRM_WORD`. */
  confirm: { port: MessagePort; answer: SharedArrayBuffer } | undefined
  /** For the host's watchdog of hooks: word 0 is zero outside the hook, and another number for each message inside it. */
  watch: SharedArrayBuffer | undefined
  /** True if the thread has other gates. */
  isShared: boolean
  times: GateTimes | undefined
  /** True if the frontend is a process, which starts only once this gate connects to its socket. */
  awaitsSocket?: boolean
}

/** Durations in nanoseconds that a gate records and the host reads. */
export type GateTimes = { hook: RecordableHistogram; seal: RecordableHistogram }

/**
 * Host → gate: stop, after at most `timeout` milliseconds for what the frontend has sent; a socket for the frames of a process; or a link
 * from the frontend to core and the port on which core sends the session's key.
 */
export type GateCommand =
  | { type: 'link'; id: number; link: LinkEndpoint; key: MessagePort }
  | { type: 'socket'; socket: DirectSocket }
  | Question
  | { type: 'stop'; timeout: number }

export type GateReport =
  | { type: 'rejected'; command: string; why: string; more: number }
  /** The frontend violated the protocol on the link with this id. */
  | { type: 'fault'; link: number; error: ReportedError }
  | { type: 'log'; level: 'debug' | 'info' | 'warn' | 'error'; text: string }

/** Gate → host, over the port for confirmations. */
export type ConfirmRequest = { type: 'confirm'; text: string }

/** Word 0 of the memory for the host's answer. The gate sets `waiting`, sends a `ConfirmRequest`, and blocks until the word changes. */
export const CONFIRM_WORD = { waiting: 0, no: 1, yes: 2 } as const

/**
 * Returns the text that asks a person for confirmation, of a hook or a command. It can contain what the frontend sent, and the host
 * may print it. So that it looks like one text, it is one line: control characters, line breaks and invisible characters are replaced,
 * except for those that emoji contain.
 */
export function toConfirmText(message: unknown): string {
  let text = ''
  try {
    text = message === undefined ? '' : String(message)
  } catch {
    // A `toString` threw: the text stays empty.
  }
  if (text.length > MAX_CONFIRM_TEXT) text = `${text.slice(0, MAX_CONFIRM_TEXT - 1)}…`
  return text.replace(/(?!\u200d|\ufe0e|\ufe0f)[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}]/gu, '\uFFFD')
}

export type SessionKey = { session: Uint8Array; secret: Uint8Array }

/** Sender and receiver of records, in the info of the key derivation. Both ends of a session must use the same text. */
export const RECORD_DIRECTION = 'gate to core'

// Between a relay and its process: streams over its standard input and output, and the HTTP/2 of the one to the broker of its network.

/** The first bytes of a process: what its launcher prints before is not for the relay. The number is the version of what follows. */
export const PROCESS_GREETING = 'sallyport 1\n'

/**
 * Streams of a process. `network` leads to the broker of a frontend that has one; `stdout` has what its code prints. Each member has two more: 0 is
 * the process itself, and the frontend that has it alone. Scripts begin with 1.
 */
export const PROCESS_STREAMS = { network: 0xffff_ffff, stdout: 0xffff_fffe } as const

/**
 * Ids of the streams of a member: its commands (`MemberCommand`) and reports are frames of `control`. Its start is its `FrontendStart`, by
 * `serializeValue`; that of a process which does not know yet whose it is, or has scripts, is a `FrontendPreparation`. Member 0 answers questions before
 * it has a start. A relay that closes `control` ends the member.
 */
export const getMemberStreams = (member: number): { control: number; link: number } => ({
  control: 2 * member,
  link: 2 * member + 1,
})

/**
 * Descriptors of sockets in the place of the stream `link`, for a process that has inherited them: to core, or to a gate, and then that from core.
 * Launchers use 5 and 6.
 */
export const PROCESS_SOCKETS = [4, 8] as const

/** What a member of a process gets in place of a `FrontendCommand`. `sockets` are the inodes of those that it can have inherited. */
export type ProcessMessage =
  | { type: 'link'; scripts: readonly InitScript[]; sockets: readonly number[] }
  | Exclude<FrontendCommand, { type: 'link' }>

/** What a frontend process can do before it is known whose it is. */
export interface FrontendPreparation {
  sandbox: FrontendSandbox
  /** True if the module has no file. */
  hasText: boolean
  /** URL of a `ScriptRunner`, if it runs a script. */
  runner: string | undefined
  /** True for a process of many scripts: each is a member of it. */
  hasScripts?: boolean
  /** The compiled engine of the runner, for a thread. */
  engineModule?: EngineModule
}

// The stream `network`: a stream of HTTP/2 for each connection, which CONNECT opens. Each response says what happened.

/** Header of a CONNECT: the scheme of the requests in HTTP/1.1 that follow. The broker encrypts for `https`. */
export const BROKER_SCHEME = 'sallyport-scheme'
/** Header of each response: `response` if it is that of the host, `denied`, or `failed`. */
export const BROKER_OUTCOME = 'sallyport-outcome'
/** Header of a response that is not the host's: why, in one line. */
export const BROKER_REASON = 'sallyport-reason'

/** Headers of HTTP/1.1 that belong to one connection, which HTTP/2 does not have. */
export const CONNECTION_HEADERS: ReadonlySet<string> = new Set([
  ...['connection', 'keep-alive', 'proxy-connection', 'proxy-authenticate', 'proxy-authorization'],
  ...['te', 'trailer', 'transfer-encoding', 'upgrade', 'http2-settings', 'host', 'expect'],
])

// Structured clones as bytes, for a process. `v8.deserialize` would return views of the message, from which a script could read the rest of it.

/** @throws for shared memory, functions and some objects of Node; others arrive as empty objects */
export function serializeValue(value: unknown): Uint8Array {
  const serializer = new Serializer()
  serializer.writeHeader()
  serializer.writeValue(value)
  return serializer.releaseBuffer()
}

/** Returns a value that shares no memory with the bytes. */
export function deserializeValue(bytes: Uint8Array): unknown {
  const deserializer = new Deserializer(bytes)
  deserializer.readHeader()
  return deserializer.readValue()
}
