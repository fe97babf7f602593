// A worker that shares its thread with others. To its supervisor it is a thread of its own, with errors and an exit.
import { EventEmitter } from 'node:events'
import { ACTIVITY, deadline, endsAtOnce } from '@sallyport/protocol/internal/contract'
import { BusError, receiveError } from '@sallyport/protocol/internal/errors'
import { assertNever, queueMicrotask } from '@sallyport/protocol/internal/util'
import type { MemberCommand, MemberReport } from '@sallyport/protocol/internal/contract'
import type { TransferListItem } from '@sallyport/protocol/internal/link'
import { NeighborFault } from '../life/judge.js'
import type { ThreadHandle } from '../life/spec.js'
import type { WorkerUsage } from '../../shared/worker-usage.js'
import type { ProcessSockets } from '../../shared/process-sockets.js'

export interface MemberOwner {
  /** Called once, when the member has exited by itself. Returns false if the thread ends too, whose exit is the member's then. */
  exited(member: ThreadMember): boolean
  /** The members of the thread. */
  readonly members: ReadonlySet<ThreadMember>
  readonly performance: ThreadHandle['performance']
  /** Milliseconds for the thread to confirm that one of its members is terminated. A thread that does not is blocked. */
  readonly confirmTimeout: number
  /** Called when the thread did not confirm that the member is terminated. */
  blocked(): void
  /** Sends commands to the member, in one message. */
  post(member: ThreadMember, commands: readonly MemberCommand[], transfer?: readonly TransferListItem[]): void
  /** Called when the member keeps the process alive, or does not any more. */
  refChanged(): void
  /** Terminates the thread. Each member fails with its error. */
  fail(getError: (member: ThreadMember) => Error): void
}

/** @param cause - a sentence without its end */
export const createNeighborFault = ({ name }: ThreadMember, cause: string): NeighborFault =>
  new NeighborFault('Disconnected', `${cause}. The thread that ${name} shared was terminated`)

export const describeBlock = ({ name }: ThreadMember): string => `${name} blocked its event loop`

const createBlockFault = ({ name }: ThreadMember): BusError =>
  new BusError('Timeout', `${name} shared a thread that did not respond. It is unknown which of them blocked it`)

/** Returns the only member whose code runs, if there is one; `undefined` if the thread does not say whose code it runs. */
export function findCulprit(members: ReadonlySet<ThreadMember>): ThreadMember | 'unknown' | undefined {
  const all = [...members]
  const [culprit, ...others] = all.filter(({ activity }) => activity === ACTIVITY.busy)
  if (culprit) return others.length === 0 ? culprit : 'unknown'
  return all.some(({ activity }) => activity === ACTIVITY.idle) ? 'unknown' : undefined
}

export class ThreadMember extends EventEmitter implements ThreadHandle {
  /** A member that was started before it is known whose it is gets another name. */
  name: string
  wasStartedAhead = false
  /** Set for a relay: what its process uses. */
  readUsage?: () => WorkerUsage | undefined
  /** Set for a relay that forwards no frames. */
  sockets?: ProcessSockets | undefined
  readonly #activity = new Int32Array(new SharedArrayBuffer(8))
  readonly #owner: MemberOwner
  /** Set until it is sent. */
  #start: MemberCommand | undefined
  /** Ends the deadline for the thread to confirm that this member is terminated. */
  #confirmed = (): void => {}
  #isTerminated = false
  #isRef = true
  /** The member's exit code, once it has exited. */
  #exitCode: number | undefined
  #hasExited = false

  constructor(name: string, owner: MemberOwner) {
    super()
    this.name = name
    this.#owner = owner
  }

  /** @param transfer - what `data` transfers to the thread */
  start(data: unknown, transfer: readonly TransferListItem[]): void {
    this.#post({ type: 'start', data, activity: this.#activity.buffer }, transfer)
  }

  /** Starts with the first message to it, for code that does nothing before: one message fewer wakes the thread. */
  startLater(data: unknown): void {
    this.#start = { type: 'start', data, activity: this.#activity.buffer }
  }

  get isRef(): boolean {
    return this.#isRef
  }

  get activity(): number {
    return Atomics.load(this.#activity, 0)
  }

  /** What a member does with a loop of its own. The code of others could be what runs, and a relay runs none. */
  get performance(): ThreadHandle['performance'] {
    return this.#owner.members.size > 1 || this.readUsage ? undefined : this.#owner.performance
  }

  get isTerminated(): boolean {
    return this.#isTerminated
  }

  postMessage(message: unknown, transfer?: readonly TransferListItem[]): void {
    if (endsAtOnce(message)) Atomics.store(this.#activity, 1, 1)
    this.#post({ type: 'message', message }, transfer)
  }

  async terminate(): Promise<void> {
    if (this.#hasExited) return
    if (!this.#isTerminated) {
      this.#isTerminated = true
      Atomics.store(this.#activity, 1, 1)
      this.#post({ type: 'terminate' })
      this.#confirmed = deadline(this.#owner.confirmTimeout, () => this.#owner.blocked())
    }
    await new Promise(resolve => this.once('exit', resolve))
  }

  ref(): void {
    this.#isRef = true
    this.#owner.refChanged()
  }

  unref(): void {
    this.#isRef = false
    this.#owner.refChanged()
  }

  /** Terminates the thread. This member fails with the error, and the others with one that says why. */
  failThread(error: Error): void {
    this.#owner.fail(member => (member === this ? error : createNeighborFault(member, error.message)))
  }

  /** Returns the error of this member for a heartbeat that has stopped: code of another can block the thread. */
  explainBlock(error: Error): Error {
    const { members } = this.#owner
    const culprit = members.size > 1 ? findCulprit(members) : undefined
    if (culprit === undefined || culprit === this) return error
    return culprit === 'unknown' ? createBlockFault(this) : createNeighborFault(this, describeBlock(culprit))
  }

  /** The thread fails with an error that is not this member's alone. */
  threadFailed(error: unknown): void {
    if (this.#exitCode === undefined && !this.#isTerminated) this.emit('error', error)
  }

  threadExited(code: number): void {
    this.#exitCode ??= code
    this.#exit(this.#exitCode)
  }

  /** Takes a report of the thread. */
  receive(report: MemberReport): void {
    if (this.#exitCode !== undefined) return
    switch (report.type) {
      case 'message':
        return void this.emit('message', report.message)
      case 'error':
        return void this.emit('error', receiveError(report.error, `${this.name} failed`))
      case 'thread-failed': {
        const error = receiveError(report.error, 'The thread failed')
        return this.#owner.fail(() => error)
      }
      case 'terminating':
        return this.#confirmed()
      case 'exited':
        this.#exitCode = report.code
        this.#confirmed()
        if (this.#owner.exited(this)) this.#exit(report.code)
        return
      default:
        return assertNever(report)
    }
  }

  #exit(code: number): void {
    if (this.#hasExited) return
    this.#hasExited = true
    this.#confirmed()
    this.emit('exit', code)
  }

  #post(command: MemberCommand, transfer: readonly TransferListItem[] = []): void {
    if (this.#hasExited) return
    const start = this.#start
    this.#start = undefined
    try {
      this.#owner.post(this, start ? [start, command] : [command], transfer)
    } catch (error) {
      if (!start) throw error
      queueMicrotask(() => this.#failToStart(error))
    }
  }

  /** Its data cannot be cloned. */
  #failToStart(error: unknown): void {
    this.emit('error', error)
    this.receive({ type: 'exited', code: 1 })
  }
}
