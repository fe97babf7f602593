// Between the host and a thread that several workers share. Each of them is a member: messages with its id take the place of the thread's
// port and exit. One port has the messages of all members, because each port costs as much as a dozen messages.
import type { MessagePort } from 'node:worker_threads'
import type { TransferListItem } from '../link/endpoints.js'
import { type ReportedError, reportError } from '../errors/reported-error.js'
import { assertNever } from '../util/assert-never.js'

/** Host → shared thread, once: the port for the messages of its members. */
export interface MemberPort {
  port: MessagePort
}

/** Host → shared thread: starts a member. */
export interface NewMember {
  type: 'start'
  data: unknown
  /**
   * Word 0 is an `ACTIVITY` of the member, as the thread knows it. The host reads it when the thread does not respond. The host sets word 1
   * when it terminates the member, or stops it without time for its calls: for code that does not let the order arrive.
   */
  activity: SharedArrayBuffer
}

/** `unknown` in a thread that does not say whose code it runs. */
export const ACTIVITY = { unknown: 0, idle: 1, busy: 2 } as const

/** Host → member: its start, a message of its host, or the order to exit at once. */
export type MemberCommand = NewMember | { type: 'message'; message: unknown } | { type: 'terminate' }

/** ThreadMember → host. `terminating` confirms that the thread is not blocked. Nothing follows `exited`. */
export type MemberReport =
  | { type: 'message'; message: unknown }
  | { type: 'error'; error: ReportedError }
  | { type: 'thread-failed'; error: ReportedError }
  | { type: 'terminating' }
  | { type: 'exited'; code: number }

/** What passes the port: messages of members, each after the id of its member. */
export type MemberMessages<Message> = readonly (number | Message)[]

/** The connection of a member to its host, in the thread. */
export interface MemberConnection {
  postMessage(message: unknown, transfer?: readonly TransferListItem[]): void
  /** Must be called at once: earlier messages are lost. */
  onMessage(handle: (message: unknown) => void): void
  /** By default, a member that is terminated exits with code 1. It must release what it holds. */
  onTerminate(handle: () => void): void
  /** Says whether the thread might run code of the member now. */
  setBusy(isBusy: boolean): void
  /** True once the host has terminated the member, before the order arrives. */
  isTerminated(): boolean
  /** Ends the thread, and all of its members with this error. */
  failThread(error: Error): void
  /** Ends the member. The thread and its other members go on. */
  exit(code: number): void
}

/** Starts each member that the host sends. A member that cannot be started fails alone. */
export function serveMembers<Data>(
  parent: MessagePort,
  start: (connection: MemberConnection, data: Data) => void | Promise<void>,
): void {
  parent.once('message', ({ port }: MemberPort) => {
    const members = new Map<number, Member>()
    const outbox = new Outbox(port)
    port.on('message', (messages: MemberMessages<MemberCommand>) => {
      for (let at = 0; at < messages.length; at += 2) {
        const [id, command] = [messages[at] as number, messages[at + 1] as MemberCommand]
        if (command.type !== 'start') members.get(id)?.handle(command)
        else startMember(id, command)
      }
    })

    function startMember(id: number, { data, activity }: NewMember): void {
      const member = createMember(new Int32Array(activity), (report, isUrgent, transfer) => {
        outbox.post(id, report, isUrgent, transfer)
        if (report.type === 'exited') members.delete(id)
      })
      members.set(id, member)
      const { connection } = member
      const fail = (error: unknown): void => member.fail(error)
      try {
        start(connection, data as Data)?.catch(fail)
      } catch (error) {
        fail(error)
      }
    }
  })
}

/** Collects what members report in one callback of the event loop: one message with three reports costs little more than one report. */
class Outbox {
  readonly #port: MessagePort
  #waiting: (number | MemberReport)[] = []
  #transfer: TransferListItem[] = []

  constructor(port: MessagePort) {
    this.#port = port
  }

  post(id: number, report: MemberReport, isUrgent: boolean, transfer: readonly TransferListItem[]): void {
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
    this.#port.postMessage(waiting, transfer)
  }
}

interface Member {
  readonly connection: MemberConnection
  handle(command: Exclude<MemberCommand, NewMember>): void
  fail(error: unknown): void
}

/** @param send - sends a report to the host: at once, before code that could end the thread, if it is urgent */
function createMember(
  activity: Int32Array,
  send: (report: MemberReport, isUrgent: boolean, transfer: readonly TransferListItem[]) => void,
): Member {
  let handleMessage = (_message: unknown): void => {}
  let terminate = (): void => exit(1)
  let hasExited = false

  function post(report: MemberReport, isUrgent = false, transfer: readonly TransferListItem[] = []): void {
    if (!hasExited) send(report, isUrgent, transfer)
  }

  function exit(code: number): void {
    post({ type: 'exited', code }, true)
    hasExited = true
  }

  const connection: MemberConnection = {
    postMessage(message, transfer) {
      post({ type: 'message', message }, (transfer?.length ?? 0) > 0, transfer)
    },
    onMessage: handle => void (handleMessage = handle),
    onTerminate: handle => void (terminate = handle),
    setBusy: isBusy => void Atomics.store(activity, 0, isBusy ? ACTIVITY.busy : ACTIVITY.idle),
    isTerminated: () => Atomics.load(activity, 1) !== 0,
    failThread: error => post({ type: 'thread-failed', error: reportError(error) }, true),
    exit,
  }
  return {
    connection,
    handle(command) {
      if (hasExited) return
      switch (command.type) {
        case 'message':
          return handleMessage(command.message)
        case 'terminate':
          post({ type: 'terminating' }, true)
          return terminate()
        default:
          return assertNever(command)
      }
    },
    fail(error) {
      post({ type: 'error', error: reportError(error) })
      exit(1)
    },
  }
}
