// Between the host and a thread or a process that several workers share. Each of them is a member: messages with its id take the place of a thread's
// port and exit. One port has the messages of all members, because each port costs as much as a dozen messages. The relay of a process passes them on as
// JSON, over a stream for each.
import type { MessagePort } from 'node:worker_threads'
import type { TransferListItem } from '../link/endpoints.js'
import { type ReportedError, reportError } from '../errors/error-data.js'
import { callSafely } from '../util/promises.js'
import { assertNever } from '../util/type-guards.js'

/** Host → shared thread, or relay, once: the port for the messages of its members. */
export interface MemberPort {
  type: 'members'
  port: MessagePort
}

/** Host → shared thread: starts a member. */
export interface NewMember {
  type: 'start'
  data: unknown
  /**
   * Word 0 is an `ACTIVITY` of the member, as the thread knows it. The host reads it when the thread does not respond. Word 1 is an `ORDER`, for
   * code that does not let it arrive. Word 2 counts how often the code was entered.
   */
  activity: SharedArrayBuffer
}

/** `unknown` in a thread that does not say whose code it runs. */
export const ACTIVITY = { unknown: 0, idle: 1, busy: 2 } as const
/** `stop`: without time for its calls. A later one is never less. */
export const ORDER = { none: 0, stop: 1, terminate: 2 } as const

/** Host → member: its start, a message of its host, or the order to exit at once. */
export type MemberCommand = NewMember | { type: 'message'; message: unknown } | { type: 'terminate' }

/** Member → host. `terminating` confirms that the thread is not blocked. Nothing follows `exited`. */
export type MemberReport =
  | { type: 'message'; message: unknown }
  | { type: 'error'; error: ReportedError }
  | { type: 'thread-failed'; error: ReportedError }
  | { type: 'terminating' }
  | { type: 'exited'; code: number }

/** What passes the port: messages of members, each after the id of its member. */
export type MemberMessages<Message> = readonly (number | Message)[]

/** The connection of a member to its host, in the thread. */
export type MemberConnection = Omit<Member, 'start' | 'handle'>

export function readMembers<Message>(
  messages: MemberMessages<Message>,
  take: (id: number, message: Message) => void,
): void {
  for (let at = 0; at < messages.length; at += 2) take(messages[at] as number, messages[at + 1] as Message)
}

/** Starts each member that the host sends. A member that cannot be started fails alone. */
export function serveMembers<Data>(
  parent: MessagePort,
  start: (connection: MemberConnection, data: Data) => void | Promise<void>,
): void {
  parent.once('message', ({ port }: MemberPort) => {
    const members = new Map<number, Member>()
    const outbox = new MemberOutbox(port, (id, error) => members.get(id)?.fail(error))
    port.on('message', (messages: MemberMessages<MemberCommand>) =>
      readMembers(messages, (id, command) => {
        if (command.type !== 'start') return members.get(id)?.handle(command)
        const send: SendReport = (report, isUrgent, transfer) => {
          outbox.post(id, report, isUrgent, transfer)
          if (report.type === 'exited') members.delete(id)
        }
        const member = new Member(send, new Int32Array(command.activity))
        members.set(id, member)
        member.start(start, command.data as Data)
      }),
    )
  })
}

/** Collects what members report in one callback of the event loop: one message with three reports costs little more than one report. */
export class MemberOutbox {
  readonly #port: MessagePort
  readonly #failed: (id: number, error: unknown) => void
  #waiting: (number | MemberReport)[] = []
  #transfer: TransferListItem[] = []

  /** @param failed - ends the member whose report cannot be posted. The reports of the others arrive */
  constructor(port: MessagePort, failed: (id: number, error: unknown) => void) {
    this.#port = port
    this.#failed = failed
  }

  post(id: number, report: MemberReport, isUrgent = false, transfer: readonly TransferListItem[] = []): void {
    // A tick that a promise adds with `nextTick` runs once all promises have settled, including those that others create.
    if (this.#waiting.push(id, report) === 2 && !isUrgent) queueMicrotask(() => process.nextTick(() => this.flush()))
    this.#transfer.push(...transfer)
    if (isUrgent) this.flush()
  }

  flush(): void {
    const [waiting, transfer] = [this.#waiting, this.#transfer]
    if (waiting.length === 0) return
    this.#waiting = []
    this.#transfer = []
    try {
      this.#port.postMessage(waiting, transfer)
    } catch {
      readMembers(waiting, (id, report) => {
        // What has something to transfer is urgent, and so the last.
        const post = (): void => this.#port.postMessage([id, report], report === waiting.at(-1) ? transfer : [])
        callSafely(post, error => this.#failed(id, error))
      })
    }
  }
}

/** Sends a report to the host: at once, before code that could end the thread, if it is urgent. */
type SendReport = (report: MemberReport, isUrgent: boolean, transfer: readonly TransferListItem[]) => void

/** True for the order to stop without time for calls. */
export function endsAtOnce(message: unknown): boolean {
  const { type, timeout }: { type?: unknown; timeout?: unknown } = Object(message)
  return type === 'stop' && timeout === 0
}

/** One member, where it runs. */
export class Member {
  readonly #send: SendReport
  readonly #activity: Int32Array
  #handleMessage = (_message: unknown): void => {}
  #terminate = (): void => this.exit(1)
  #hasExited = false

  constructor(send: SendReport, activity: Int32Array = new Int32Array(3)) {
    this.#send = send
    this.#activity = activity
  }

  start<Data>(start: (connection: MemberConnection, data: Data) => void | Promise<void>, data: Data): void {
    const fail = (error: unknown): void => {
      this.#post({ type: 'error', error: reportError(error) })
      this.exit(1)
    }
    try {
      start(this, data)?.catch(fail)
    } catch (error) {
      fail(error)
    }
  }

  handle(command: Exclude<MemberCommand, NewMember>): void {
    if (this.#hasExited) return
    switch (command.type) {
      case 'message':
        if (endsAtOnce(command.message)) Atomics.or(this.#activity, 1, ORDER.stop)
        return callSafely(() => this.#handleMessage(command.message), this.fail)
      case 'terminate':
        Atomics.or(this.#activity, 1, ORDER.terminate)
        this.#post({ type: 'terminating' }, true)
        return this.#terminate()
      default:
        return assertNever(command)
    }
  }

  /** Ends the member with an error that occurred while it was served: the others of its thread go on. */
  readonly fail = (error: unknown): void => {
    this.#post({ type: 'error', error: reportError(error) })
    this.#terminate()
  }

  postMessage(message: unknown, transfer: readonly TransferListItem[] = []): void {
    this.#post({ type: 'message', message }, transfer.length > 0, transfer)
  }

  /** Must be called at once: earlier messages are lost. */
  onMessage(handle: (message: unknown) => void): void {
    this.#handleMessage = handle
  }

  /** By default, a member that is terminated exits with code 1. It must release what it holds. */
  onTerminate(handle: () => void): void {
    this.#terminate = handle
  }

  /** Says whether the thread might run code of the member now. */
  setBusy(isBusy: boolean): void {
    Atomics.store(this.#activity, 0, isBusy ? ACTIVITY.busy : ACTIVITY.idle)
    if (isBusy) Atomics.add(this.#activity, 2, 1)
  }

  /** True once the host has ordered the member to end, or by force, in a thread before the order arrives. */
  isTerminated(byForce = false): boolean {
    return Atomics.load(this.#activity, 1) >= (byForce ? ORDER.terminate : ORDER.stop)
  }

  /** Ends the thread, and all of its members with this error. */
  failThread(error: Error): void {
    this.#post({ type: 'thread-failed', error: reportError(error) }, true)
  }

  /** Ends the member. The thread and its other members go on. */
  exit(code: number): void {
    this.#post({ type: 'exited', code }, true)
    this.#hasExited = true
  }

  #post(report: MemberReport, isUrgent = false, transfer: readonly TransferListItem[] = []): void {
    if (!this.#hasExited) this.#send(report, isUrgent, transfer)
  }
}
