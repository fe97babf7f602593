// Between the host and a thread that several workers share. Each of them is a tenant: a port of its own takes the place of the thread's
// port, output and exit.
import type { MessagePort, TransferListItem } from 'node:worker_threads'
import { type ReportedError, reportError } from '../errors/reported-error.js'

export type OutputStream = 'stdout' | 'stderr'

/** Host → shared thread: starts a tenant. */
export interface NewTenant {
  port: MessagePort
  data: unknown
}

/** Host → tenant: a message of its host, a request for the next chunk of its output, or the order to exit at once. */
export type TenantCommand =
  | { type: 'message'; message: unknown }
  | { type: 'read'; stream: OutputStream }
  | { type: 'terminate' }

/** Tenant → host. `terminating` confirms that the thread is not blocked. Nothing follows `exited`. */
export type TenantReport =
  | { type: 'message'; message: unknown }
  | { type: 'output'; stream: OutputStream; chunk: Uint8Array | string }
  | { type: 'error'; error: ReportedError }
  | { type: 'thread-failed'; error: ReportedError }
  | { type: 'terminating' }
  | { type: 'exited'; code: number }

/** The connection of a tenant to its host, in the thread. */
export interface TenantConnection {
  postMessage(message: unknown, transfer?: readonly TransferListItem[]): void
  /** Must be called at once: earlier messages are lost. */
  onMessage(handle: (message: unknown) => void): void
  /** By default, a tenant that is terminated exits with code 1. It must release what it holds. */
  onTerminate(handle: () => void): void
  /** Sends a chunk of output when the host asks for it, and then calls `done`. Must not be called again before. */
  write(stream: OutputStream, chunk: Uint8Array | string, done: () => void): void
  /** Ends the thread, and all of its tenants with this error. */
  failThread(error: Error): void
  /** Ends the tenant. The thread and its other tenants go on. */
  exit(code: number): void
}

/** Starts a tenant for each port that the host sends. A tenant that cannot be started fails alone. */
export function serveTenants<Data>(
  parent: MessagePort,
  start: (connection: TenantConnection, data: Data) => void | Promise<void>,
): void {
  parent.on('message', ({ port, data }: NewTenant) => {
    const connection = connectTenant(port)
    const fail = (error: unknown): void => {
      port.postMessage({ type: 'error', error: reportError(error) } satisfies TenantReport)
      connection.exit(1)
    }
    try {
      start(connection, data as Data)?.catch(fail)
    } catch (error) {
      fail(error)
    }
  })
}

function connectTenant(port: MessagePort): TenantConnection {
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

  function post(report: TenantReport, transfer: readonly TransferListItem[] = []): void {
    if (!hasExited) port.postMessage(report, transfer)
  }

  function exit(code: number): void {
    post({ type: 'exited', code })
    hasExited = true
    // The host closes the port once it has read the report.
    port.unref()
  }

  port.on('message', (command: TenantCommand) => {
    if (hasExited) return
    if (command.type === 'message') handleMessage(command.message)
    else if (command.type === 'read') outputs[command.stream].request()
    else {
      post({ type: 'terminating' })
      terminate()
    }
  })
  return {
    postMessage: (message, transfer) => post({ type: 'message', message }, transfer),
    onMessage: handle => void (handleMessage = handle),
    onTerminate: handle => void (terminate = handle),
    failThread: error => post({ type: 'thread-failed', error: reportError(error) }),
    write: (stream, chunk, done) => outputs[stream].write(chunk, done),
    exit,
  }
}
