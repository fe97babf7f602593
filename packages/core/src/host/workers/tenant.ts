// A worker that shares its thread with others. To its supervisor it is a thread of its own, with output, errors and an exit.
import { EventEmitter } from 'node:events'
import { Readable } from 'node:stream'
import { MessageChannel, type MessagePort, receiveMessageOnPort, type TransferListItem } from 'node:worker_threads'
import { BusError, receiveError } from '@sallyport/protocol/internal'
import type { NewTenant, OutputStream, TenantCommand, TenantReport } from '@sallyport/protocol/internal'
import type { ThreadHandle } from '../supervision/worker-actor.js'

/** Time for a thread to confirm that one of its tenants is terminated. A thread that does not is blocked. */
const CONFIRM_TIMEOUT_MS = 250

export interface TenantOwner {
  /** Called once, when the tenant has exited by itself. Returns false if the thread ends too, whose exit is the tenant's then. */
  exited(tenant: Tenant): boolean
  /** Called when the thread did not confirm that the tenant is terminated. */
  blocked(): void
  /** Called when the tenant does not keep the process alive any more. */
  unreffed(): void
  /** Terminates the thread. Each tenant fails with its error. */
  fail(getError: (tenant: Tenant) => Error): void
}

const neighborFaults = new WeakSet<object>()

/** True for the error of a tenant whose thread ended because of another tenant. */
export const isNeighborFault = (error: unknown): boolean => neighborFaults.has(Object(error) as object)

/** @param cause - a sentence without its end */
export function createNeighborFault({ name }: Tenant, cause: string): BusError {
  const error = new BusError('Disconnected', `${cause}. The thread that ${name} shared was terminated`)
  neighborFaults.add(error)
  return error
}

export class Tenant extends EventEmitter implements ThreadHandle {
  readonly name: string
  readonly stdout: Readable
  readonly stderr: Readable
  readonly #port: MessagePort
  readonly #owner: TenantOwner
  #confirmTimer: NodeJS.Timeout | undefined
  #isTerminated = false
  #isRef = true
  /** The tenant's exit code, once it has exited. */
  #exitCode: number | undefined
  #hasExited = false

  /** @param send - sends the tenant to its thread */
  constructor(
    name: string,
    data: unknown,
    owner: TenantOwner,
    send: (tenant: NewTenant, transfer: TransferListItem[]) => void,
  ) {
    super()
    this.name = name
    this.#owner = owner
    const { port1, port2 } = new MessageChannel()
    this.#port = port1
    const createOutput = (stream: OutputStream): Readable =>
      new Readable({ read: () => this.#post({ type: 'read', stream }) })
    this.stdout = createOutput('stdout')
    this.stderr = createOutput('stderr')
    port1.on('message', report => this.#receive(report as TenantReport))
    send({ port: port2, data }, [port2])
  }

  get isRef(): boolean {
    return this.#isRef
  }

  get isTerminated(): boolean {
    return this.#isTerminated
  }

  postMessage(message: unknown, transfer?: readonly TransferListItem[]): void {
    this.#post({ type: 'message', message }, transfer)
  }

  async terminate(): Promise<void> {
    if (this.#hasExited) return
    if (!this.#isTerminated) {
      this.#isTerminated = true
      this.#post({ type: 'terminate' })
      this.#confirmTimer = setTimeout(() => this.#owner.blocked(), CONFIRM_TIMEOUT_MS)
    }
    await new Promise(resolve => this.once('exit', resolve))
  }

  unref(): void {
    this.#isRef = false
    this.#port.unref()
    this.#owner.unreffed()
  }

  /** Terminates the thread. This tenant fails with the error, and the others with one that says why. */
  failThread(error: Error): void {
    this.#owner.fail(tenant => (tenant === this ? error : createNeighborFault(tenant, error.message)))
  }

  /** The thread fails with an error that is not this tenant's alone. */
  threadFailed(error: unknown): void {
    this.#receiveRest()
    if (this.#exitCode === undefined && !this.#isTerminated) this.emit('error', error)
  }

  threadExited(code: number): void {
    this.#receiveRest()
    this.#exitCode ??= code
    this.#exit(this.#exitCode)
  }

  /** Messages that the thread sent before it ended have arrived. */
  #receiveRest(): void {
    for (let next; this.#exitCode === undefined && (next = receiveMessageOnPort(this.#port));) {
      this.#receive(next.message as TenantReport)
    }
  }

  #receive(report: TenantReport): void {
    if (this.#exitCode !== undefined) return
    if (report.type === 'message') this.emit('message', report.message)
    else if (report.type === 'output') this[report.stream].push(report.chunk)
    else if (report.type === 'terminating') clearTimeout(this.#confirmTimer)
    else if (report.type === 'thread-failed') {
      const error = receiveError(report.error, 'The thread failed')
      this.#owner.fail(() => error)
    } else if (report.type === 'error') this.emit('error', receiveError(report.error, `${this.name} failed`))
    else {
      this.#exitCode = report.code
      clearTimeout(this.#confirmTimer)
      if (this.#owner.exited(this)) this.#exit(report.code)
    }
  }

  #exit(code: number): void {
    if (this.#hasExited) return
    this.#hasExited = true
    clearTimeout(this.#confirmTimer)
    this.#port.close()
    this.stdout.push(null)
    this.stderr.push(null)
    this.emit('exit', code)
  }

  #post(command: TenantCommand, transfer: readonly TransferListItem[] = []): void {
    this.#port.postMessage(command, transfer)
  }
}
