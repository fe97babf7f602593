// The threads of a host that several workers share: relays, and what the options let share one. Each worker is a member. So is a script of a process
// with many, whose relay stands for the thread.
import { MessageChannel, type MessagePort, receiveMessageOnPort, type Worker } from 'node:worker_threads'
import { ABANDON_TIMEOUT_MS, CONFIRM_TIMEOUT_MS, readMembers } from '@sallyport/protocol/internal/contract'
import type {
  MemberCommand,
  MemberMessages,
  MemberPort,
  MemberReport,
  StateReport,
} from '@sallyport/protocol/internal/contract'
import { BusError, receiveError } from '@sallyport/protocol/internal/errors'
import type { TransferListItem } from '@sallyport/protocol/internal/link'
import { withoutContext } from '@sallyport/protocol/internal/util'
import type { ThreadHandle } from '../life/spec.js'
import type { HostLog } from '../reporting/log.js'
import { createLogSink, pipeOutput, throttleLines } from './output.js'
import { createNeighborFault, describeBlock, findCulprit, ThreadMember, type MemberOwner } from './thread-member.js'

/** Threads that are alike, so that a member can be in any of them. */
export interface ThreadGroup {
  /** Unique among the groups of a host. Members of one group share threads. */
  name: string
  /** Maximum number of threads. Each new member gets the thread with the fewest. */
  size: number
  /** Maximum number of members of one thread. Further members start threads beyond `size`. @default Infinity */
  maxMembers?: number | undefined
  /**
   * True if a thread without members is kept until the host closes. It does not keep the process alive, so its own output must not be
   * piped: Node waits for a thread whose output is read.
   */
  isKept?: boolean
  /** True if a member starts with the first message to it. @default false */
  startsLater?: boolean
  /** Milliseconds for a thread to confirm that a member is terminated. @default 250 */
  confirmTimeout?: number
  /** @throws errors of `new Worker` */
  spawn(): Worker | ThreadMember
}

export class SharedThreads {
  readonly #log: HostLog
  readonly #groups = new Map<string, Set<SharedThread>>()
  readonly #processes = new WeakMap<ThreadMember, SharedThread>()
  #isClosed = false

  constructor(log: HostLog) {
    this.#log = log
  }

  /** @throws errors of `group.spawn` */
  open(group: ThreadGroup, name: string, data: unknown, transfer: readonly TransferListItem[] = []): ThreadMember {
    return this.#choose(group).open(name, data, transfer)
  }

  /** Starts a member in the process of a relay, with the first message to it. */
  openIn(relay: ThreadMember, name: string, data: unknown): ThreadMember {
    let process = this.#processes.get(relay)
    if (!process) {
      const group = { name: relay.name, size: 1, isKept: true, startsLater: true, confirmTimeout: ABANDON_TIMEOUT_MS }
      process = withoutContext(() => new SharedThread({ ...group, spawn: () => relay }, this.#log, () => {}))
      this.#processes.set(relay, process)
    }
    return process.open(name, data, [])
  }

  /** Starts a thread of a group whose threads are kept, for its first member. */
  prepare(group: ThreadGroup): void {
    if (!this.#isClosed && !this.#groups.has(group.name)) this.#start(group, new Set())
  }

  /** Ends the threads that were kept. The others have ended with their members. */
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
    const started = withoutContext(() => new SharedThread(group, this.#log, onClosed))
    this.#groups.set(group.name, threads.add(started))
    return started
  }
}

/** One thread. It ends with its last member, or is kept for the next one. */
class SharedThread implements MemberOwner {
  readonly members = new Set<ThreadMember>()
  readonly confirmTimeout: number
  readonly #worker: Worker | ThreadMember
  /** The messages of all members. */
  readonly #port: MessagePort
  /** Members by the id that the thread knows them by. */
  readonly #byId = new Map<number, ThreadMember>()
  readonly #ids = new WeakMap<ThreadMember, number>()
  readonly #close: () => void
  readonly #isKept: boolean
  readonly #startsLater: boolean
  #lastId = 0
  #isClosed = false

  constructor(
    { name, isKept = false, startsLater = false, confirmTimeout = CONFIRM_TIMEOUT_MS, spawn }: ThreadGroup,
    log: HostLog,
    onClosed: () => void,
  ) {
    this.#isKept = isKept
    this.#startsLater = startsLater
    this.confirmTimeout = confirmTimeout
    const worker = (this.#worker = spawn())
    // Until it has a member.
    worker.unref()
    const { port1, port2 } = new MessageChannel()
    this.#port = port1
    port1.on('message', messages => this.#receive(messages as MemberMessages<MemberReport>))
    // The thread keeps the process alive, or does not.
    port1.unref()
    worker.postMessage({ port: port2 } satisfies MemberPort, [port2])
    this.#close = () => {
      if (this.#isClosed) return
      this.#isClosed = true
      onClosed()
    }
    if (!isKept) pipeOutput(worker, createLogSink(throttleLines(log, { worker: 'shared', label: name })))
    const failed = (error: unknown): void => {
      this.#close()
      this.#receiveRest()
      for (const member of this.members) member.threadFailed(error)
    }
    worker.on('error', failed)
    if (worker instanceof ThreadMember)
      worker.on('message', ({ state, error }: StateReport) => {
        if (state === 'failed') failed(receiveError(error, `${name} failed`))
      })
    worker.on('exit', code => {
      this.#close()
      this.#receiveRest()
      for (const member of this.members) member.threadExited(code)
      this.members.clear()
      port1.close()
    })
  }

  /** False while one of the members does not end: its thread might be blocked. */
  get isFree(): boolean {
    return !this.#isClosed && ![...this.members].some(member => member.isTerminated)
  }

  get performance(): ThreadHandle['performance'] {
    return this.#worker.performance
  }

  open(name: string, data: unknown, transfer: readonly TransferListItem[]): ThreadMember {
    const member = new ThreadMember(name, this)
    const id = ++this.#lastId
    this.#ids.set(member, id)
    if (this.#startsLater) member.startLater(data)
    // Throws for data that cannot be cloned.
    else member.start(data, transfer)
    this.#byId.set(id, member)
    this.members.add(member)
    this.refChanged()
    return member
  }

  post(member: ThreadMember, commands: readonly MemberCommand[], transfer: readonly TransferListItem[] = []): void {
    const id = this.#ids.get(member)!
    const messages: MemberMessages<MemberCommand> = commands.flatMap(command => [id, command])
    this.#port.postMessage(messages, transfer)
  }

  exited(member: ThreadMember): boolean {
    if (this.#isKept || this.members.size > 1) {
      this.members.delete(member)
      this.#byId.delete(this.#ids.get(member)!)
      this.refChanged()
      return true
    }
    void this.close()
    return false
  }

  async close(): Promise<void> {
    this.#close()
    await this.#worker.terminate()
  }

  #receive(messages: MemberMessages<MemberReport>): void {
    readMembers(messages, (id, report) => this.#byId.get(id)?.receive(report))
  }

  /** Messages that the thread sent before it ended have arrived. */
  #receiveRest(): void {
    for (let next; (next = receiveMessageOnPort(this.#port));)
      this.#receive(next.message as MemberMessages<MemberReport>)
  }

  blocked(): void {
    const culprit = findCulprit(this.members)
    const isKnown = culprit !== undefined && culprit !== 'unknown'
    const cause = isKnown ? describeBlock(culprit) : 'A thread did not respond'
    this.fail(member => (member === culprit ? new BusError('Timeout', cause) : createNeighborFault(member, cause)))
  }

  refChanged(): void {
    if ([...this.members].some(({ isRef }) => isRef)) this.#worker.ref()
    else this.#worker.unref()
  }

  fail(getError: (member: ThreadMember) => Error): void {
    this.#close()
    for (const member of this.members) member.threadFailed(getError(member))
    void this.#worker.terminate()
  }
}
