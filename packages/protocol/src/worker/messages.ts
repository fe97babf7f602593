// Messages between the host and its workers, and what a worker is given at its start. Neither imports the other.
import type { RecordableHistogram } from 'node:perf_hooks'
import type { MessagePort } from 'node:worker_threads'
import type { CodecName } from '../codec/codec.js'
import type { ReportedError } from '../errors/reported-error.js'
import type { LinkEndpoint } from '../link/endpoints.js'
import type { Heartbeat } from './heartbeat.js'

/** The sandbox of a frontend that runs under Node's permission model. */
export interface FrontendSandbox {
  /** A directory without a grant that Node might let the frontend read nevertheless. */
  unexpectedRead: string | undefined
  /** True if the frontend must not start when it can read that directory. */
  strict: boolean
}

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
  /** URL of a `ScriptRunner`, which runs the module as a script without access to Node. */
  runner?: string
}

export interface FrontendWorkerData extends FrontendStart {
  heartbeat: Heartbeat | undefined
}

/** Descriptors of the pipes of a frontend process. Its `FrontendStart` comes first over `control`, by `v8.serialize`. */
export const PROCESS_PIPES = { control: 3, link: 4 } as const

/** In the order in which a worker passes through them. */
export const LIFECYCLE_STATES = ['booting', 'handshaking', 'ready', 'draining', 'stopped', 'failed'] as const

export type LifecycleState = (typeof LIFECYCLE_STATES)[number]

/** Worker → host: the lifecycle of core, a frontend or a gate. */
export interface StateReport {
  type: 'state'
  state: LifecycleState
  error?: ReportedError
}

/** Frontend → host, also: its module was evaluated, or it can read everything below a directory without having a grant. */
export type FrontendReport =
  | StateReport
  | { type: 'loaded' | 'synchronized' }
  | { type: 'unexpected-read'; directory: string }

/** Host → frontend: stop, or a link. The frontend's module runs after the first link. Each later link replaces the previous one. */
export type FrontendCommand = { type: 'link'; link: LinkEndpoint } | { type: 'stop' }

/** Relay → frontend process: the pipe is connected, stop, or answer with a `Pong`. */
export type FrontendProcessCommand = { type: 'link' } | { type: 'stop' } | { type: 'ping' }

/** Frontend process → relay: the event loop is not blocked. */
export type Pong = { type: 'pong' }

export interface GateWorkerData {
  label: string
  /** URL of the isolation app's directory. Without one, everything passes. */
  dir: string | undefined
  envelope: boolean
  /** `isDevelopment` in the host. */
  development: boolean
  heartbeat: Heartbeat | undefined
  /** Port to the host for `ConfirmRequest`, and the memory for its answer; see `CONFIRM_WORD`. */
  confirm: { port: MessagePort; answer: SharedArrayBuffer } | undefined
  /** For the host's watchdog of hooks: word 0 is zero outside the hook, and another number for each message inside it. */
  watch: SharedArrayBuffer | undefined
  times: GateTimes | undefined
}

/** Durations in nanoseconds that a gate records and the host reads. */
export type GateTimes = { hook: RecordableHistogram; seal: RecordableHistogram }

/** Host → gate: stop, after at most `timeout` milliseconds for what the frontend has sent, or a link from the frontend to core and the port on which core sends the session's key. */
export type GateCommand =
  | { type: 'link'; id: number; link: LinkEndpoint; key: MessagePort }
  | { type: 'stop'; timeout: number }

/** Gate → host. */
export type GateReport =
  | { type: 'rejected'; command: string; why: string; more: number }
  /** The frontend violated the protocol on the link with this id. */
  | { type: 'fault'; link: number; error: ReportedError }
  | { type: 'log'; level: 'debug' | 'info' | 'warn' | 'error'; text: string }

/** Core → gate, over the key port: the key of one session's records. */
export type SessionKey = { session: Uint8Array; secret: Uint8Array }

/** Sender and receiver of records, in the info of the key derivation. Both ends of a session must use the same text. */
export const RECORD_DIRECTION = 'gate to core'

/** Gate → host, over the port for confirmations. */
export type ConfirmRequest = { type: 'confirm'; text: string }

/** Word 0 of the memory for the host's answer. The gate sets `waiting`, sends a `ConfirmRequest`, and blocks until the word changes. */
export const CONFIRM_WORD = { waiting: 0, no: 1, yes: 2 } as const

/** Maximum length of a confirmation text in UTF-16 code units. A longer text is truncated and ends with `…`. */
export const MAX_CONFIRM_TEXT = 4096

/**
 * Returns the text that asks a person for confirmation, of a hook or a command. It can contain what the frontend sent, and the host
 * may print it. So that it cannot repaint a terminal, control characters (except line breaks and tabs) and marks that reorder text
 * are replaced.
 */
export function toConfirmText(message: unknown): string {
  let text = ''
  try {
    text = message === undefined ? '' : String(message)
  } catch {
    // A `toString` threw: the text stays empty.
  }
  if (text.length > MAX_CONFIRM_TEXT) text = `${text.slice(0, MAX_CONFIRM_TEXT - 1)}…`
  // oxlint-disable-next-line no-control-regex
  return text.replace(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/g, '\uFFFD')
}

// Between a frontend worker and the runner of scripts (`sandbox: 'ses'`). Neither imports the other: the frontend worker loads the
// runner, whose URL the host passes.

/** The functions of `@sallyport/frontend` that a script gets, typed without importing that package. */
export type FrontendFunctions = Readonly<
  Record<'BusError' | 'Channel' | 'CommandError', abstract new (...args: never) => object> &
    Record<'isBusError' | 'isCommandError' | 'getLabel' | 'getData' | 'expose', FrontendFunction> &
    Record<'invoke' | 'stream' | 'emit' | 'emitTo' | 'listen' | 'once', FrontendFunction>
>
type FrontendFunction = (...args: never) => unknown

export interface FrontendScript {
  /**
   * Resolves when the script, including its top-level awaits, has run.
   *
   * @param fault - called with each later uncaught error of the script, as an error that is safe to inspect
   * @throws whatever the script throws, as an error that is safe to inspect
   */
  run(functions: FrontendFunctions, fault: (error: Error) => void): Promise<void>
}

/** The exports of the module at `FrontendStart.runner`. */
export interface ScriptRunner {
  /** Reads a script, then permanently locks this thread down. @throws {BusError} InvalidParams if the file is not a script */
  loadScript(url: string): Promise<FrontendScript>
}
