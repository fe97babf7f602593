// Between the host and a thread that several workers share. Each of them is a member: a port of its own takes the place of the thread's
// port, output and exit.
import type { MessagePort } from 'node:worker_threads'
import type { TransferListItem } from '../link/endpoints.js'
import { type ReportedError, reportError } from '../errors/reported-error.js'
import { assertNever } from '../util/assert-never.js'

export type OutputStream = 'stdout' | 'stderr'

/** Host → shared thread: starts a member. */
export interface NewMember {
  port: MessagePort
  data: unknown
  /**
   * Word 0 is an `ACTIVITY` of the member, as the thread knows it. The host reads it when the thread does not respond. The host sets word 1
   * when it terminates the member, or stops it without time for its calls: for code that does not let the order arrive.
   */
  activity: SharedArrayBuffer
}

/** `unknown` in a thread that does not say whose code it runs. */
export const ACTIVITY = { unknown: 0, idle: 1, busy: 2 } as const

/** Host → member: a message of its host, a request for the next chunk of its output, or the order to exit at once. */
export type MemberCommand =
  | { type: 'message'; message: unknown }
  | { type: 'read'; stream: OutputStream }
  | { type: 'terminate' }

/** ThreadMember → host. `terminating` confirms that the thread is not blocked. Nothing follows `exited`. */
export type MemberReport =
  | { type: 'message'; message: unknown }
  | { type: 'output'; stream: OutputStream; chunk: Uint8Array | string }
  | { type: 'error'; error: ReportedError }
  | { type: 'thread-failed'; error: ReportedError }
  | { type: 'terminating' }
  | { type: 'exited'; code: number }

/** The connection of a member to its host, in the thread. */
export interface MemberConnection {
  postMessage(message: unknown, transfer?: readonly TransferListItem[]): void
  /** Must be called at once: earlier messages are lost. */
  onMessage(handle: (message: unknown) => void): void
  /** By default, a member that is terminated exits with code 1. It must release what it holds. */
  onTerminate(handle: () => void): void
  /** Sends a chunk of output when the host asks for it, and then calls `done`. Must not be called again before. */
  write(stream: OutputStream, chunk: Uint8Array | string, done: () => void): void
  /** Says whether the thread might run code of the member now. */
  setBusy(isBusy: boolean): void
  /** True once the host has terminated the member, before the order arrives. */
  isTerminated(): boolean
  /** Ends the thread, and all of its members with this error. */
  failThread(error: Error): void
  /** Ends the member. The thread and its other members go on. */
  exit(code: number): void
}

/** Starts a member for each port that the host sends. A member that cannot be started fails alone. */
export function serveMembers<Data>(
  parent: MessagePort,
  start: (connection: MemberConnection, data: Data) => void | Promise<void>,
): void {
  parent.on('message', ({ port, data, activity }: NewMember) => {
    const connection = connectMember(port, new Int32Array(activity))
    const fail = (error: unknown): void => {
      port.postMessage({ type: 'error', error: reportError(error) } satisfies MemberReport)
      connection.exit(1)
    }
    try {
      start(connection, data as Data)?.catch(fail)
    } catch (error) {
      fail(error)
    }
  })
}

function connectMember(port: MessagePort, activity: Int32Array): MemberConnection {
  const outputs = { stdout: createOutput('stdout'), stderr: createOutput('stderr') }
  let handleMessage = (_message: unknown): void => {}
  let terminate = (): void => exit(1)
  let hasExited = false

  function createOutput(stream: OutputStream) {
    let isWanted = false
    let waiting: { chunk: Uint8Array | string; done: () => void } | undefined
    const flush = (): void => {
      if (!isWanted || !waiting) return
      const { chunk, done } = waiting
      isWanted = false
      waiting = undefined
      post({ type: 'output', stream, chunk })
      done()
    }
    return {
      request(): void {
        isWanted = true
        flush()
      },
      write(chunk: Uint8Array | string, done: () => void): void {
        waiting = { chunk, done }
        flush()
      },
    }
  }

  function post(report: MemberReport, transfer: readonly TransferListItem[] = []): void {
    if (!hasExited) port.postMessage(report, transfer)
  }

  function exit(code: number): void {
    post({ type: 'exited', code })
    hasExited = true
    // The host closes the port once it has read the report.
    port.unref()
  }

  port.on('message', (command: MemberCommand) => {
    if (hasExited) return
    switch (command.type) {
      case 'message':
        return handleMessage(command.message)
      case 'read':
        return outputs[command.stream].request()
      case 'terminate':
        post({ type: 'terminating' })
        return terminate()
      default:
        return assertNever(command)
    }
  })
  return {
    postMessage: (message, transfer) => post({ type: 'message', message }, transfer),
    onMessage: handle => void (handleMessage = handle),
    onTerminate: handle => void (terminate = handle),
    setBusy: isBusy => void Atomics.store(activity, 0, isBusy ? ACTIVITY.busy : ACTIVITY.idle),
    isTerminated: () => Atomics.load(activity, 1) !== 0,
    failThread: error => post({ type: 'thread-failed', error: reportError(error) }),
    write: (stream, chunk, done) => outputs[stream].write(chunk, done),
    exit,
  }
}
