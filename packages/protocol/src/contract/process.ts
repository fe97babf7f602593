// Between a relay and the process of its frontend: its pipes, what they carry, and the HTTP/2 of the pipe to the broker of its network.
import { Deserializer, Serializer } from 'node:v8'
import type { EngineModule, FrontendSandbox, InitScript, Question } from './messages.js'

/**
 * Descriptors of the pipes of a frontend process. `network` leads to the broker of a frontend that has one: launchers use 5 and 6. What core
 * sends comes over `fromCore` if `link` leads to a gate. Over `control` comes first its `FrontendStart`, by `serializeValue`, or
 * `prepare` for a spare, whose start follows once it is known.
 */
export const PROCESS_PIPES = { control: 3, link: 4, network: 7, fromCore: 8 } as const

/** Relay → frontend process: the pipe is connected (two of them if `isSplit`), stop, or answer, which shows that the event loop is not blocked. */
export type FrontendProcessCommand =
  | ({ type: 'prepare' } & FrontendPreparation)
  | { type: 'link'; scripts: readonly InitScript[]; isSplit: boolean }
  | { type: 'stop' }
  | Question

/** What a frontend process can do before it is known whose it is. */
export interface FrontendPreparation {
  sandbox: FrontendSandbox
  /** True if the module has no file. */
  hasText: boolean
  /** URL of a `ScriptRunner`, if it runs a script. */
  runner: string | undefined
  /** True for a process of many scripts: each has two streams of the pipe `link`. */
  hasScripts?: boolean
  /** The compiled engine of the runner, for a thread. */
  engineModule?: EngineModule
}

/**
 * Ids of the streams of a script in a process that has many: it is a member, whose commands and reports are frames of `control`. The first has its
 * `FrontendStart`, by `serializeValue`. A relay that closes `control` ends the script.
 */
export const getScriptStreams = (script: number): { control: number; link: number } => ({
  control: 2 * script,
  link: 2 * script + 1,
})

// The pipe `network`: a stream for each connection, which CONNECT opens. Each response says what happened.

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
