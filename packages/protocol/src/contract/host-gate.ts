// Between the host and a gate, and between core and a gate.
import type { RecordableHistogram } from 'node:perf_hooks'
import type { MessagePort } from 'node:worker_threads'
import type { ReportedError } from '../errors/error-data.js'
import type { DirectSocket } from '../link/direct-socket.js'
import type { LinkEndpoint } from '../link/endpoints.js'
import { MAX_CONFIRM_TEXT } from '../wire/limits.js'
import type { Heartbeat } from './heartbeat.js'
import type { Question } from './host-worker.js'

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

/** Gate → host. */
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

/** Core → gate, over the key port: the key of one session's records. */
export type SessionKey = { session: Uint8Array; secret: Uint8Array }

/** Sender and receiver of records, in the info of the key derivation. Both ends of a session must use the same text. */
export const RECORD_DIRECTION = 'gate to core'
