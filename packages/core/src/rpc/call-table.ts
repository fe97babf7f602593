// The calls of one session that have not ended: each id is unique, the number of calls is bounded, and each ends exactly once.
import { deadline } from '@sallyport/protocol/internal/contract'
import { BusError, createCancelledError, describeCommand } from '@sallyport/protocol/internal/errors'
import { type CallHeaders, type RequestId, STREAM_HEADER, TIMEOUT_HEADER } from '@sallyport/protocol/internal/message'
import { CallSlots, refuseOpen } from '@sallyport/protocol/internal/rpc'
import { getTypeName, queueMicrotask } from '@sallyport/protocol/internal/util'
import { MAX_IN_FLIGHT } from '@sallyport/protocol/internal/wire'
import type { Logger } from 'pino'
import type { Permits } from '../acl/authority.js'
import { splitMethod } from '../acl/identifier.js'
import type { CommandIdentity, CommandScope } from '../acl/types.js'
import type { App, CommandContext, CommandRequest } from '../api/app.js'
import type { Resources } from '../api/resources.js'
import { HOST_METHOD, RUN_FUNCTION_METHOD } from '../contract/host-core.js'
import type { Subscriber } from '../events/router.js'
import { COUNT, type Counts } from '../shared/metrics.js'
import type { CallChannel } from './channels.js'
import { type ConfirmCaller, createInterruption, type Interruption, type Interrupts } from './approval.js'
import type { CommandContent } from '../api/define.js'

export interface CallOwner extends Subscriber {
  /** The frontend's label, or `host`. */
  readonly name: string
  readonly app: App
  readonly permits: Permits
  readonly resources: Resources
  readonly life: object
  confirm(text: unknown, caller: ConfirmCaller): Promise<boolean>
  /** Whether calls can interrupt their frontend, which is a run. */
  readonly interrupts: Interrupts
}

/** One call, from dispatch to response. Handlers get it as their context. */
export class IncomingCall implements CommandContext {
  readonly app: App
  readonly label: string
  readonly resources: Resources
  readonly #id: RequestId | undefined
  readonly #command: CommandIdentity
  readonly #owner: CallOwner
  readonly #channels: readonly CallChannel[]
  #controller: AbortController | undefined
  /** @internal What the call is answered with, whatever its handler does after `interrupt`. A property, because each call reads it. */
  interruption: Interruption | undefined
  /** @internal Ends the wait for the deadline of its caller. */
  endDeadline: (() => void) | undefined

  /** @param channels the channels that this call opened, and the streams among its arguments */
  constructor(
    owner: CallOwner,
    id: RequestId | undefined,
    command: CommandIdentity,
    readonly request: CommandRequest,
    channels: readonly CallChannel[],
  ) {
    this.app = owner.app
    this.label = owner.name
    this.resources = owner.resources
    this.#id = id
    this.#command = command
    this.#owner = owner
    this.#channels = channels
  }

  /** Returns the subscriber that the caller's listeners belong to. Static, so that handlers do not find it on their context. */
  static getSubscriber(call: IncomingCall): Subscriber {
    return call.#owner
  }

  /** @internal What lives as long as the calling frontend, over its restarts, and is not that of the next one with its label. */
  get life(): object {
    return this.#owner.life
  }

  get signal(): AbortSignal {
    return (this.#controller ??= new AbortController()).signal
  }

  get permits(): (command: string) => boolean {
    return command => this.#owner.permits.permits(command)
  }

  get getScope(): (command: string) => CommandScope {
    return command => this.#owner.permits.getScopeByMethod(command)
  }

  get scope(): CommandScope {
    return this.#owner.permits.getScope(this.#command)
  }

  get state(): App['state'] {
    return this.app.state
  }

  get confirm(): (text: string) => Promise<boolean> {
    const { label, method: command } = this
    return text => {
      const answer = this.#owner.confirm(text, { label, command, call: this.#id, signal: this.signal })
      // A caller can cancel before the handler awaits the answer, and must not end core by that.
      answer.catch(() => {})
      return answer
    }
  }

  get interrupt(): (data?: unknown) => never {
    return data => {
      if (this.abortReason) throw this.abortReason
      const isAnswered = this.#id !== undefined && !isStream(this)
      // The first one counts if a handler goes on.
      throw (this.interruption ??= createInterruption(this.method, data, this.#owner.interrupts, isAnswered))
    }
  }

  get log(): Logger {
    const { method: command, owner } = this.#command
    const plugin = owner === 'plugin' && { plugin: splitMethod(command).plugin }
    return this.app.log.child({ label: this.label, command, ...plugin })
  }

  /** @internal */
  get id(): RequestId | undefined {
    return this.#id
  }

  /** @internal */
  get method(): string {
    return this.#command.method
  }

  /** @internal True of one of the bus's own commands, such as `listen`. */
  get isOfBus(): boolean {
    return this.#command.owner === 'core'
  }

  /** @internal The reason why the caller no longer waits for an answer. */
  get abortReason(): BusError | undefined {
    return this.#controller?.signal.reason
  }

  /** @internal */
  get hasOpenChannel(): boolean {
    return this.#channels.some(({ isOpen }) => isOpen)
  }

  /** @internal Aborts the signal, even if it is first read later, and abandons the channels. */
  abort(reason: BusError): void {
    this.endDeadline?.()
    this.#controller ??= new AbortController()
    this.#controller.abort(reason)
    for (const channel of this.#channels) channel.abandon(reason.message, reason)
  }

  /** @internal Ends the streams among the arguments, because the call is over. */
  releaseChannels(): void {
    for (const channel of this.#channels) channel.release?.()
  }

  /** @internal Ends the channels of a call that failed. */
  failChannels(): void {
    for (const channel of this.#channels) (channel.fail ?? channel.end).call(channel)
  }
}

export const isStream = ({ request: { headers } }: IncomingCall): boolean => headers[STREAM_HEADER] !== undefined

/** True for a call that may take long: a subscription or a transfer, which a deadline would end although it is healthy. */
export const isLongLived = (call: IncomingCall): boolean => isStream(call) || call.hasOpenChannel

/** Returns the command's name, the frontend's function that the host calls, or the host's function that a run calls. */
export const getDisplayName = ({ method, request: { headers, body } }: IncomingCall): string =>
  method === RUN_FUNCTION_METHOD ? getFunctionName(method, body) : getCallName(method, headers)

/** Returns the name of a command as the code of a run calls it: of the host's functions, that of the function. */
export function getFunctionName(method: string, body: unknown): string {
  if (method !== RUN_FUNCTION_METHOD) return method
  const { name }: { name?: unknown } = Object(body)
  return typeof name === 'string' ? name : getTypeName(name)
}

export const getCallName = (method: string, headers: CallHeaders = {}): string =>
  method === HOST_METHOD.call || method === HOST_METHOD.stream
    ? `bus.${method.slice('plugin:host|'.length)} ${headers['label']} ${headers['name']}`
    : method

const MAX_TIMEOUT_MS = 2 ** 31 - 1

/** Returns how many milliseconds the caller waits. @throws {BusError} `InvalidParams` for an invalid header */
export function getTimeout({ [TIMEOUT_HEADER]: text }: CallHeaders): number | undefined {
  if (text === undefined) return undefined
  const ms = /^\d{1,10}$/.test(text) ? Number(text) : NaN
  if (ms <= MAX_TIMEOUT_MS) return ms
  const problem = `The header ${TIMEOUT_HEADER} must be whole milliseconds from 0 to ${MAX_TIMEOUT_MS}`
  throw new BusError('InvalidParams', problem)
}

export class CallTable {
  readonly #running = new CallSlots<IncomingCall>()
  /**
   * Calls without a waiting caller: notifications, and calls that were cancelled or expired. Their handlers still run, so
   * these calls count, and their signals abort when the session ends.
   */
  readonly #unanswered = new Set<IncomingCall>()
  readonly #counts: Counts
  readonly #expired: (call: IncomingCall, error: BusError) => void
  #whenIdle: (() => void) | undefined

  /** @param expired is called when a call's deadline passes: the error is its answer */
  constructor(counts: Counts, expired: (call: IncomingCall, error: BusError) => void) {
    this.#counts = counts
    this.#expired = expired
  }

  get size(): number {
    return this.#running.size + this.#unanswered.size
  }

  get all(): readonly IncomingCall[] {
    return [...this.#running.all(), ...this.#unanswered]
  }

  /**
   * @param inFlight - calls in flight, with those of other sessions that share the limit
   * @throws {BusError} `InvalidRequest` if the id is open, `Overloaded` if too many calls are
   */
  checkLimits(id: RequestId | undefined, inFlight: number): void {
    // Without the text of an error, which each call would pay for.
    if (id !== undefined && this.#running.get(id)) refuseOpen(this.#running, id, 'call')
    if (inFlight >= MAX_IN_FLIGHT) {
      const text = `More than ${MAX_IN_FLIGHT} calls of one frontend are in flight`
      throw new BusError('Overloaded', text, { code: 'TOO_MANY_CALLS' })
    }
  }

  /**
   * Adds a call whose handler goes on after it has returned.
   *
   * @param timeoutMs - comes with a call over a network, where the caller can be gone without notice
   */
  add(call: IncomingCall, timeoutMs: number | undefined): void {
    if (call.id === undefined) return void this.#unanswered.add(call)
    this.#running.set(call.id, call)
    const { id } = call
    if (timeoutMs !== undefined) call.endDeadline = deadline(timeoutMs, () => this.#expire(id, call))
  }

  /** Removes a call whose handler has ended. Returns false if its caller no longer waits. */
  remove(call: IncomingCall): boolean {
    call.endDeadline?.()
    const isAwaited = call.id !== undefined && this.#running.get(call.id) === call
    if (isAwaited) this.#running.take(call.id)
    else if (!this.#unanswered.delete(call)) return false // The session has ended.
    else if (call.id !== undefined && !isStream(call)) this.#counts[COUNT.late] += 1
    if (this.#whenIdle && this.size === 0) queueMicrotask(this.#whenIdle)
    return isAwaited
  }

  async idle(): Promise<void> {
    if (this.size > 0) await new Promise<void>(resolve => (this.#whenIdle = resolve))
  }

  /** Aborts the signal of a call that its caller cancelled. The handler's result will be dropped. */
  cancel(id: RequestId): void {
    const call = this.#running.get(id)
    // The answer is already sent, and the caller will drop it.
    if (!call) return void (this.#counts[COUNT.late] += 1)
    this.#abort(id, call, createCancelledError())
  }

  abortAll(createReason: () => BusError): readonly IncomingCall[] {
    const calls = [...this.#running.takeAll(), ...this.#unanswered]
    this.#unanswered.clear()
    for (const call of calls) call.abort(createReason())
    this.#whenIdle?.()
    return calls
  }

  #expire(id: RequestId, call: IncomingCall): void {
    const error = new BusError('Timeout', `${describeCommand(call.method)} exceeded the timeout of its caller`)
    this.#abort(id, call, error)
    this.#expired(call, error)
  }

  #abort(id: RequestId, call: IncomingCall, reason: BusError): void {
    this.#running.take(id)
    this.#unanswered.add(call)
    call.abort(reason)
  }
}

/** Runs the phases of a call from its quota to its handler: see call-phases.ts. */
export interface Runnable {
  run(args: unknown, ctx: IncomingCall): unknown
}

export interface RunnableCommand extends CommandIdentity, Runnable {
  /** Returns what the command does and takes. Without it, only its name is known. */
  describe?(): CommandContent
}

export type CommandRegistry = ReadonlyMap<string, RunnableCommand>
