// What the host hands to the workers that it starts, and what they tell it beside their state. It stands here because core
// must not import what runs in them, nor they core.
import type { RecordableHistogram } from 'node:perf_hooks'
import type { MessagePort } from 'node:worker_threads'
import type { CodecName } from '../codec/codec.js'
import type { ReportedError } from '../errors/reported-error.js'
import type { LinkEndpoint } from '../link/endpoints.js'
import type { Heartbeat } from './heartbeat.js'
import type { LifecycleState } from './lifecycle.js'

export interface FrontendSandbox {
  /** A folder that nobody granted, and Node may let it read all the same. */
  unexpectedRead: string | undefined
  /** Then it must not start. */
  strict: boolean
}

/** Frontend → host, from its boot: it may read all below this folder, though nobody granted that. */
export interface UnexpectedReadReport {
  type: 'stray-read'
  folder: string
}

/** What a frontend is told when it starts, wherever it runs. */
export interface FrontendStart {
  label: string
  codec: CodecName
  /** Calls in flight at a time, and what becomes of more. */
  window: number
  overflow: 'wait' | 'reject'
  /** The user's module, as a URL. */
  module: string
  /** What the host gives this frontend, for `getData`. */
  data?: unknown
  /** The deadline in milliseconds of calls that have none of their own. */
  timeout?: number | undefined
  /** Its calls tell core of their deadlines: over a network, it may be gone without a word. */
  deadlines?: boolean
  /** Its stacks lead to what its modules were made from. */
  sourceMaps?: boolean
  /** Where this worker or process is under Node's permission model. */
  sandbox?: FrontendSandbox
  /** What runs the module as a script, out of Node's reach: a URL. See `ScriptRunner`. */
  runner?: string
}

export interface FrontendWorkerData extends FrontendStart {
  heartbeat: Heartbeat | undefined
}

/** Relay → the process of a frontend, by `v8.serialize`, before any command. */
export interface FrontendProcessStart extends FrontendStart {
  /** It has a gate. */
  isolated: boolean
}

/** The pipes of such a process, by descriptor. */
export const PROCESS_PIPES = { control: 3, core: 4, gate: 5 } as const

/** Frontend → host, of its own life. */
export interface StateReport {
  type: 'state'
  state: LifecycleState
  error?: ReportedError
}

/** The process of a frontend → its relay: it is not stuck. */
export interface Pong {
  type: 'pong'
}

export type FrontendReport = StateReport | UnexpectedReadReport

/**
 * Host → frontend: a link to core, and in the isolation pattern one to its gate. With the first its module may run; each later
 * one takes the place of that before, which has ended or will. Or the frontend is to end.
 */
export type FrontendCommand = { type: 'link'; link: LinkEndpoint; gate?: LinkEndpoint } | { type: 'stop' }

/** Relay → the process of a frontend: its pipes are joined, or it is to end, or to say that it is not stuck. */
export type FrontendProcessCommand = { type: 'link' } | { type: 'stop' } | { type: 'ping' }

export interface GateWorkerData {
  label: string
  /** The isolation app's folder, as a URL; without one, everything passes. */
  dir: string | undefined
  envelope: boolean
  heartbeat: Heartbeat | undefined
  /** To the host, where it answers `confirm`. */
  confirm: { port: MessagePort; answer: SharedArrayBuffer } | undefined
  /**
   * For the host's watchdog, where there is a hook to watch. Word 0 is zero while the thread is outside the hook; inside it
   * holds another number for each message.
   */
  watch: SharedArrayBuffer | undefined
  /** Without them nobody reads how long it takes. */
  times: GateTimes | undefined
}

/** How long a gate takes, in nanoseconds: the host reads what the gate records. */
export interface GateTimes {
  /** For one message. */
  hook: RecordableHistogram
  /** For one record. */
  seal: RecordableHistogram
}

/** Host → gate: a link to its frontend, and the port on which core gives the key of its session. Or the gate is to end. */
export type GateCommand = { type: 'link'; link: LinkEndpoint; key: MessagePort } | { type: 'stop' }

/** Gate → host. */
export type GateReport =
  | { type: 'rejected'; command: string; why: string; more: number }
  | { type: 'fault'; error: ReportedError }
  | { type: 'log'; level: 'debug' | 'info' | 'warn' | 'error'; text: string }

/** Gate → host, over the port of `confirm`. */
export interface ConfirmRequest {
  type: 'confirm'
  text: string
}

/** Word 0 of the memory in which the host answers: the gate sets `waiting` before it asks, and sleeps until it changes. */
export const CONFIRM_WORD = { waiting: 0, no: 1, yes: 2 } as const

/** Core → gate, over the key port: what seals one session's records. */
export interface SessionKey {
  session: Uint8Array
  secret: Uint8Array
}

/** Who seals for whom, in the info of the key derivation: both ends of a session name it alike. */
export const RECORD_DIRECTION = 'frontend to core'

// Between the frontend worker and what runs its module as a script (`sandbox: 'ses'`). Neither imports the other: the host
// names the second, and the first loads it as it would load the user's module.

/** The part of `@sallyport/frontend` that a script gets, in a shape that is its own. */
export interface FrontendFunctions {
  readonly BusError: abstract new (...args: never) => Error
  readonly Channel: abstract new (...args: never) => object
  readonly CommandError: abstract new (...args: never) => Error
  isBusError(error: unknown, reason?: never): boolean
  isCommandError(error: unknown, code?: never): boolean
  getLabel(): string
  getData(): unknown
  invoke(command: never, args: never, options: never): Promise<unknown>
  stream(command: never, args: never, options: never): AsyncIterableIterator<unknown, void>
  emit(event: never, payload: unknown, options: never): Promise<void>
  emitTo(target: never, event: never, payload: unknown, options: never): Promise<void>
  listen(event: never, handler: never, options: never): Promise<() => void>
  once(event: never, handler: never, options: never): Promise<() => void>
  expose(functions: never): () => void
}

export interface FrontendScript {
  /**
   * Resolves once the script has run, and what it awaits at its top level has come.
   *
   * @param fault told of what the script throws later, and catches nowhere; safe to look at
   * @throws what the script threw, likewise
   */
  run(functions: FrontendFunctions, fault: (error: Error) => void): Promise<void>
}

/** The exports of `FrontendWorkerData.runner`. */
export interface ScriptRunner {
  /**
   * Reads a script, then locks this thread down for good.
   *
   * @throws BusError `InvalidParams` for what is no script
   */
  loadScript(url: string): Promise<FrontendScript>
}

// The text of a question that a person is asked, whoever asks it: a hook or a command.

/** In UTF-16 code units: what is longer is cut, and ends with `…`. */
export const MAX_CONFIRM_TEXT = 4096

/**
 * The question as text. Whoever asks puts what the frontend sent into it, and the host may print it: control characters
 * (other than line breaks and tabs) and the marks that reorder text are replaced, so that it can't repaint a terminal.
 */
export function toConfirmText(message: unknown): string {
  let text = ''
  try {
    text = message === undefined ? '' : String(message)
  } catch {
    // A toString that throws: the question stays empty.
  }
  if (text.length > MAX_CONFIRM_TEXT) text = `${text.slice(0, MAX_CONFIRM_TEXT - 1)}…`
  // oxlint-disable-next-line no-control-regex
  return text.replace(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/g, '\uFFFD')
}
