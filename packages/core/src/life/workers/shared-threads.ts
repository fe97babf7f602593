// The threads of a host that several workers share: relays, and what the options let share one. Each worker is a member. So is a script of a process
// with many, whose relay stands for the thread.
import { EventEmitter } from 'node:events'
import { MessageChannel, type MessagePort, receiveMessageOnPort, type Worker } from 'node:worker_threads'
import {
  ABANDON_TIMEOUT_MS,
  ACTIVITY,
  CONFIRM_TIMEOUT_MS,
  endsAtOnce,
  type MemberCommand,
  type MemberMessages,
  type MemberPort,
  type MemberReport,
  ORDER,
  readMembers,
  silence,
  type StateReport,
  within,
} from '@sallyport/protocol/internal/contract'
import { BusError, receiveError, reportError } from '@sallyport/protocol/internal/errors'
import type { TransferListItem } from '@sallyport/protocol/internal/link'
import { assertNever, queueMicrotask, withoutContext } from '@sallyport/protocol/internal/util'
import { NeighborFault } from '../judge.js'
import type { ThreadHandle } from '../thread.js'
import { createRunningTime } from '../watchdog.js'
import type { RelaySockets } from '@sallyport/process/internal'
import type { WorkerUsage } from '../../shared/heap-limit.js'

/** Threads that are alike, so that a member can be in any of them. */
export interface ThreadGroup {
  /** Unique among the groups of a host. Members of one group share threads. */
  name: string
  /** Maximum number of threads. Each new member gets the thread with the fewest. */
  size: number
  /** Maximum number of members of one thread. Further members start threads beyond `size`. @default Infinity */
  maxMembers?: number | undefined
  /**
   * True if a thread without members is kept until the host closes. It does not keep the process alive.
   */
  isKept?: boolean
  /** True if a member starts with the first message to it. @default false */
  startsLater?: boolean
  /** Milliseconds for a thread to confirm that a member is terminated. @default 250 */
  confirmTimeout?: number
  spawn(): Worker | ThreadMember
}

export class SharedThreads {
  readonly #groups = new Map<string, Set<SharedThread>>()
  readonly #processes = new WeakMap<ThreadMember, SharedThread>()
  #isClosed = false

  open(group: ThreadGroup, name: string, data: unknown, transfer: readonly TransferListItem[] = []): ThreadMember {
    return this.#choose(group).open(name, data, transfer)
  }

  openIn(relay: ThreadMember, name: string, data: unknown): ThreadMember {
    let process = this.#processes.get(relay)
    if (!process) {
      const group = { name: relay.name, size: 1, isKept: true, startsLater: true, confirmTimeout: ABANDON_TIMEOUT_MS }
      process = withoutContext(() => new SharedThread({ ...group, spawn: () => relay }, () => {}))
      this.#processes.set(relay, process)
    }
    return process.open(name, data, [])
  }

  /** Starts a thread of a group whose threads are kept, for its first member. */
  prepare(group: ThreadGroup): void {
    if (!this.#isClosed && !this.#groups.has(group.name)) this.#start(group, new Set())
  }

  async close(): Promise<void> {
    this.#isClosed = true
    await Promise.all([...this.#groups.values()].flatMap(threads => [...threads].map(thread => thread.close())))
  }

  #choose(group: ThreadGroup): SharedThread {
    const threads = this.#groups.get(group.name) ?? new Set()
    const [thread] = [...threads]
      .filter(each => each.isFree && each.members.size < (group.maxMembers ?? Infinity))
      .toSorted((a, b) => a.members.size - b.members.size)
    if (thread && (thread.members.size === 0 || threads.size >= group.size)) return thread
    return this.#start(group, threads)
  }

  #start(group: ThreadGroup, threads: Set<SharedThread>): SharedThread {
    const onClosed = (): void => {
      threads.delete(started)
      if (threads.size === 0) this.#groups.delete(group.name)
    }
    const started = withoutContext(() => new SharedThread(group, onClosed))
    this.#groups.set(group.name, threads.add(started))
    return started
  }
}

/** One thread. It ends with its last member, or is kept for the next one. */
class SharedThread {
  /** By the id that the thread knows them by. */
  readonly members: Map<number, ThreadMember> = new Map<number, ThreadMember>()
  readonly #group: ThreadGroup
  readonly #worker: Worker | ThreadMember
  readonly #port: MessagePort
  readonly #onClosed: () => void
  #lastId = 0
  #isClosed = false
  /** It is being terminated for a fault. */
  hasFailed = false

  constructor(group: ThreadGroup, onClosed: () => void) {
    this.#group = group
    this.#onClosed = onClosed
    const worker = (this.#worker = group.spawn())
    worker.unref()
    const { port1, port2 } = new MessageChannel()
    this.#port = port1
    port1.on('message', messages => this.#receive(messages))
    port1.on('messageerror', error => this.failAll(error))
    port1.unref()
    worker.postMessage({ type: 'members', port: port2 } satisfies MemberPort, [port2])
    const failed = (error: unknown): void => {
      this.#receiveRest()
      this.failAll(error)
    }
    worker.on('error', failed)
    if (worker instanceof ThreadMember)
      worker.on('message', ({ state, error }: StateReport) => {
        if (state === 'failed') failed(receiveError(error, `${group.name} failed`))
      })
    worker.on('exit', code => {
      const wasClosed = this.#isClosed
      this.#close()
      this.#receiveRest()
      if (!wasClosed && this.members.size > 1) this.failAll(new Error(`A thread exited with code ${code}`))
      for (const member of this.members.values()) member.threadExited(code)
      this.members.clear()
      port1.close()
    })
  }

  /** False while one of the members does not end: its thread might be blocked. */
  get isFree(): boolean {
    return !this.#isClosed && ![...this.members.values()].some(member => member.isTerminated)
  }

  /** False if it is a process, which has memory of its own. */
  get isThread(): boolean {
    return !(this.#worker instanceof ThreadMember)
  }

  /** Of its own event loop, or that of the thread of its relay. */
  get performance(): ThreadHandle['performance'] {
    return this.#worker instanceof ThreadMember ? this.#worker.ownerPerformance : this.#worker.performance
  }

  /** How often code of its members was entered. */
  get entries(): number {
    return [...this.members.values()].reduce((sum, { entries }) => sum + entries, 0)
  }

  open(name: string, data: unknown, transfer: readonly TransferListItem[]): ThreadMember {
    const member = new ThreadMember(name, ++this.#lastId, this)
    // Throws for data that cannot be cloned.
    member.start(data, transfer, this.#group.startsLater === true)
    this.members.set(member.id, member)
    this.refChanged()
    return member
  }

  post({ id }: ThreadMember, commands: readonly MemberCommand[], transfer: readonly TransferListItem[] = []): void {
    const messages: MemberMessages<MemberCommand> = commands.flatMap(command => [id, command])
    this.#port.postMessage(messages, transfer)
  }

  /** The member has exited by itself. Returns false if the thread ends too, whose exit is the member's then. */
  exited({ id }: ThreadMember): boolean {
    if (this.#group.isKept || this.members.size > 1) {
      this.members.delete(id)
      this.refChanged()
      return true
    }
    this.#close()
    void this.#worker.terminate()
    return false
  }

  /**
   * Ends the members, and then the thread: nobody else reads the exits of the processes that it has started, which otherwise stay in the system's table.
   */
  async close(): Promise<void> {
    this.#close()
    await within(ABANDON_TIMEOUT_MS, Promise.all(Array.from(this.members.values(), member => member.terminate())))
    await this.#worker.terminate()
  }

  #close(): void {
    if (this.#isClosed) return
    this.#isClosed = true
    this.#onClosed()
  }

  #receive(messages: MemberMessages<MemberReport>): void {
    readMembers(messages, (id, report) => this.members.get(id)?.receive(report))
  }

  /** Messages that the thread sent before it ended have arrived. */
  #receiveRest(): void {
    for (;;) {
      try {
        const next = receiveMessageOnPort(this.#port)
        if (!next) return
        this.#receive(next.message)
      } catch (error) {
        this.failAll(error)
      }
    }
  }

  /** Waits for the thread to confirm that a member is terminated. A thread that does not is blocked. */
  expectConfirmation(): () => void {
    // Members that take turns can keep it from that, each for its time.
    const signs = { readMs: createRunningTime(this), readSign: () => this.entries }
    return silence(this.#group.confirmTimeout ?? CONFIRM_TIMEOUT_MS, signs, () => {
      const culprit = this.findCulprit()
      const isKnown = culprit !== undefined && culprit !== 'unknown'
      const cause = isKnown ? describeBlock(culprit) : NO_RESPONSE
      this.fail(member => (member === culprit ? new BusError('Timeout', cause) : createNeighborFault(member, cause)))
    })
  }

  /** Returns the member whose code runs now, if it is known; `undefined` if each member runs elsewhere, as for relays. */
  findCulprit(): ThreadMember | 'unknown' | undefined {
    // Whose script a process runs is not known here.
    if (!this.isThread) return 'unknown'
    const all = [...this.members.values()]
    const culprit = all.find(({ activity }) => activity === ACTIVITY.busy)
    return culprit ?? (all.some(({ activity }) => activity === ACTIVITY.idle) ? 'unknown' : undefined)
  }

  /** A member keeps the process alive, or does not any more. */
  refChanged(): void {
    if ([...this.members.values()].some(({ isRef }) => isRef)) this.#worker.ref()
    else this.#worker.unref()
  }

  /** Terminates the thread. Each member fails with its error. */
  fail(getError: (member: ThreadMember) => unknown): void {
    this.#close()
    this.hasFailed = true
    for (const member of this.members.values()) member.threadFailed(getError(member))
    void this.#worker.terminate()
  }

  /** Nobody knows which member the thread has failed for, unless there is only one: the others would pay for it with their restarts. */
  failAll(error: unknown): void {
    const isKnown = this.members.size === 1
    const cause = receiveError(reportError(error), 'A thread failed')
    this.fail(member => (isKnown ? error : createNeighborFault(member, cause.message, cause)))
  }
}

const NO_RESPONSE = 'A thread did not respond'

/** @param cause - a sentence without its end */
function createNeighborFault({ name }: ThreadMember, cause: string, like?: BusError): NeighborFault {
  const { reason = 'Disconnected', data } = like ?? {}
  return new NeighborFault(reason, `${cause}. The thread that ${name} shared was terminated`, { data })
}

const describeBlock = ({ name }: ThreadMember): string => `${name} blocked its event loop`

const createBlockFault = ({ name }: ThreadMember, host: 'thread' | 'process'): BusError =>
  new BusError('Timeout', `${name} shared a ${host} that did not respond. It is unknown which of them blocked it`)

/** A worker that shares its thread with others. To its supervisor it is a thread of its own, with errors and an exit. */
export class ThreadMember extends EventEmitter implements ThreadHandle {
  /** A member that was started before it is known whose it is gets another name. */
  name: string
  readonly id: number
  wasStartedAhead = false
  isTerminated = false
  isRef = true
  /** Set for a relay: what its process uses. */
  readUsage?: () => WorkerUsage | undefined
  /** Set for a gate: whether its hook can run now. */
  isInHook?: () => boolean
  sockets?: RelaySockets | undefined
  readonly #activity = new Int32Array(new SharedArrayBuffer(12))
  readonly #owner: SharedThread
  #start: MemberCommand | undefined
  /** Ends the deadline for the thread to confirm that this member is terminated. */
  #confirmed = (): void => {}
  #exitCode: number | undefined
  #hasExited = false
  #hasFailed = false

  constructor(name: string, id: number, owner: SharedThread) {
    super()
    this.name = name
    this.id = id
    this.#owner = owner
  }

  /**
   * @param transfer - what `data` transfers to the thread
   * @param isLater - true to start with the first message to it, for code that does nothing before: one message fewer wakes the thread
   */
  start(data: unknown, transfer: readonly TransferListItem[], isLater: boolean): void {
    const start: MemberCommand = { type: 'start', data, activity: this.#activity.buffer }
    if (isLater) this.#start = start
    else this.#post(start, transfer)
  }

  get activity(): number {
    return Atomics.load(this.#activity, 0)
  }

  get entries(): number {
    return Atomics.load(this.#activity, 2)
  }

  /** Of the thread that its code runs in. That of a relay runs none, and that of a process is not known here. */
  get performance(): ThreadHandle['performance'] {
    return this.readUsage || !this.#owner.isThread ? undefined : this.#owner.performance
  }

  /** Of the thread that it is in, whether it runs its code or not. */
  get ownerPerformance(): ThreadHandle['performance'] {
    return this.#owner.performance
  }

  /** Without code of a member, a thread of several works for any of them, until it is terminated. */
  get isHeld(): boolean {
    const { isThread, hasFailed, members } = this.#owner
    return isThread && !hasFailed && members.size > 1 && this.activity === ACTIVITY.idle
  }

  readEntries(): number {
    return this.#owner.entries - this.entries
  }

  postMessage(message: unknown, transfer?: readonly TransferListItem[]): void {
    if (endsAtOnce(message)) Atomics.or(this.#activity, 1, ORDER.stop)
    this.#post({ type: 'message', message }, transfer)
  }

  async terminate(): Promise<void> {
    if (this.#hasExited) return
    if (!this.isTerminated) {
      this.isTerminated = true
      Atomics.or(this.#activity, 1, ORDER.terminate)
      this.#post({ type: 'terminate' })
      this.#confirmed = this.#owner.expectConfirmation()
    }
    await new Promise(resolve => this.once('exit', resolve))
  }

  ref(): void {
    this.isRef = true
    this.#owner.refChanged()
  }

  unref(): void {
    this.isRef = false
    this.#owner.refChanged()
  }

  /** Terminates the thread. This member fails with the error, unless the hook of another can be what hangs, and the others with one that says why. */
  failThread(error: Error): void {
    const suspects = [...this.#owner.members.values()].filter(member => member === this || member.isInHook?.() === true)
    const isKnown = suspects.length === 1
    this.#owner.fail(member => {
      if (!suspects.includes(member)) return createNeighborFault(member, isKnown ? error.message : NO_RESPONSE)
      return isKnown ? error : createBlockFault(member, 'thread')
    })
  }

  get runs(): string | undefined {
    const culprit = this.#culprit
    return culprit instanceof ThreadMember ? culprit.name : culprit
  }

  get #culprit(): ThreadMember | 'unknown' | undefined {
    return this.#owner.members.size > 1 ? this.#owner.findCulprit() : undefined
  }

  /** Returns the error of this member for a heartbeat that has stopped: code of another can block the thread. */
  explainBlock(error: Error): Error {
    const culprit = this.#culprit
    if (culprit === undefined || culprit === this) return error
    return culprit === 'unknown'
      ? createBlockFault(this, this.#owner.isThread ? 'thread' : 'process')
      : createNeighborFault(this, describeBlock(culprit))
  }

  /** The thread fails with an error that is not this member's alone. */
  threadFailed(error: unknown): void {
    if (this.#exitCode === undefined && !this.isTerminated) this.emit('error', error)
  }

  threadExited(code: number): void {
    this.#exitCode ??= code
    this.#exit(this.#exitCode)
  }

  receive(report: MemberReport): void {
    if (this.#exitCode !== undefined) return
    switch (report.type) {
      case 'message':
        return void this.emit('message', report.message)
      case 'error':
        // Only the first counts, and each would take a stack.
        if (!this.#hasFailed) this.emit('error', receiveError(report.error, `${this.name} failed`))
        this.#hasFailed = true
        return
      case 'thread-failed':
        return this.#owner.failAll(receiveError(report.error, 'The thread failed'))
      case 'terminating':
        return this.#confirmed()
      case 'exited':
        this.#exitCode = report.code
        this.#confirmed()
        if (this.#owner.exited(this)) this.#exit(report.code)
        return
      // Stryker disable next-line ConditionalExpression: for the compiler only
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
    // Stryker disable next-line ConditionalExpression: a thread ignores what is for a member that it does not have
    if (this.#hasExited) return
    const start = this.#start
    this.#start = undefined
    try {
      this.#owner.post(this, start ? [start, command] : [command], transfer)
    } catch (error) {
      if (!start) throw error
      // Its data cannot be cloned.
      queueMicrotask(() => {
        this.emit('error', error)
        this.receive({ type: 'exited', code: 1 })
      })
    }
  }
}
