// Between the host and a frontend, in a worker or a process.
import type { CodecName } from '../codec/codec.js'
import type { ReportedError } from '../errors/error-data.js'
import type { LinkEndpoint } from '../link/endpoints.js'
import { MAX_IN_FLIGHT } from '../wire/limits.js'
import type { Heartbeat } from './heartbeat.js'
import type { Answer, Question, StateReport } from './host-worker.js'
import type { OutputReport, OutputRequest } from './output.js'

/** The sandbox of a frontend that runs under Node's permission model. */
export interface FrontendSandbox {
  /** A directory without a grant that Node might let the frontend read nevertheless. */
  unexpectedRead: string | undefined
  /** True if the frontend must not start when it can read that directory. */
  strict: boolean
  /** True if a wall around the process closes the network. */
  closesNet?: boolean
  /** True if a broker opens its connections: at the pipe `network` of a process, or `broker` of its start. */
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
  /** KiB. */
  stack: number
  /** Milliseconds that the script can run without a pause. */
  time: number
}

/** A script that was interrupted. */
export interface SuspendedScript {
  /** What it goes on from. Only a script host reads it. */
  snapshot: Uint8Array
  /** Tokens of the calls that were interrupted, with which core has answered them, in order. */
  tokens: readonly string[]
}

const MAX_TOKEN_LENGTH = 64

/** Checks `tokens` of a report, which can be anything. */
export const areTokens = (tokens: unknown): tokens is readonly string[] =>
  Array.isArray(tokens) &&
  tokens.length > 0 &&
  tokens.length <= MAX_IN_FLIGHT &&
  tokens.every(token => typeof token === 'string' && token.length <= MAX_TOKEN_LENGTH)

/** Rejections of one run that are reported. */
export const MAX_UNHANDLED = 20

/** The start options of a frontend, wherever it runs. */
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
  /** True if a gate checks what the frontend sends. */
  isolated: boolean
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
  /** Name of the plugin. */
  name: string
  /** Code of a classic script. */
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
