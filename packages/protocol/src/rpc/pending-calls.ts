// Calls that a peer has made, by id: each is settled once.
import { IS_NODE, onNextTick } from '#platform'
import { BusError, describeCommand } from '../errors/bus-error.js'
import { fromSentErrorObject } from '#sent-errors'
import { type CallOptions, watchDeadline } from './call-options.js'
import type { RequestId, ResponseMessage } from '../wire/messages.js'
import { deadline } from '../util/timers.js'
import { MAX_IN_FLIGHT } from '../wire/limits.js'
import { CallSlots } from '#call-slots'

export interface PendingCall {
  readonly id: number
  /** Not in pages. */
  readonly isStream?: boolean | undefined
  resolve(result: unknown): void
  reject(error: BusError): void
  stopWatching: (() => void) | undefined
}

/**
 * Calls that wait for a response. Each is settled exactly once: by its response, its deadline, its signal or the end of the
 * link, whichever comes first. Late responses are ignored.
 */
export class PendingCalls {
  readonly #calls = new CallSlots<PendingCall>()
  readonly #onAbandon: (id: number) => unknown
  readonly #window: number
  #nextId = 1

  /**
   * @param onAbandon called with the id of each call that its caller abandons; returns true if that call was never sent
   * @param window number of calls that can be in flight at a time
   */
  constructor(onAbandon: (id: number) => unknown, window: number = MAX_IN_FLIGHT) {
    this.#onAbandon = onAbandon
    this.#window = window
  }

  get size(): number {
    return this.#calls.size
  }

  get all(): readonly PendingCall[] {
    return this.#calls.all()
  }

  /** True if as many calls as the window allows are in flight. @param unsent number of pending calls that are not sent yet */
  isFull(unsent = 0): boolean {
    return this.#calls.size - unsent >= this.#window
  }

  /**
   * Returns an id for the next call. Take it before the arguments are encoded, because their `toJSON` can make calls too. Ids
   * grow, and skip the slots of long-running calls.
   */
  takeId(): number {
    while (!this.#calls.isFree(this.#nextId)) this.#nextId++
    return this.#nextId++
  }

  /** @param defaultTimeout milliseconds, or false for none, for a call whose options have no timeout */
  add(
    id: number,
    method: string,
    resolve: PendingCall['resolve'],
    reject: PendingCall['reject'],
    options: CallOptions | undefined,
    defaultTimeout?: number | false,
    stream?: object,
  ): void {
    // Written twice: a copy would cost each call.
    const call: PendingCall = IS_NODE
      ? { id, isStream: stream !== undefined, resolve, reject, stopWatching: undefined }
      : { id, resolve, reject, stopWatching: undefined }
    this.#calls.set(id, call)
    const signal = options?.signal
    const timeout = options?.timeout ?? defaultTimeout
    if (signal === undefined && !timeout) return
    // Most calls: their callers have set nothing.
    if (IS_NODE && options === undefined) {
      const expire = (): void =>
        this.abandon(id, new BusError('Timeout', `${describeCommand(method)} took longer than ${timeout as number} ms`))
      call.stopWatching = deadline(timeout as number, expire)
      return
    }
    call.stopWatching = watchDeadline(describeCommand(method), { signal, timeout }, error => this.abandon(id, error))
  }

  /** True if a call had this id. The call may be settled: a response can come late, or twice. */
  hasIssued(id: RequestId | null): boolean {
    return typeof id === 'number' && id > 0 && id < this.#nextId
  }

  /** Settles the call that a response names. Returns false if no call waits for that response. */
  settle(response: ResponseMessage): boolean {
    const call = typeof response.id === 'number' ? this.#take(response.id) : undefined
    if (!call) return false
    if ('result' in response) call.resolve(response.result)
    else call.reject(fromSentErrorObject(response.error))
    return true
  }

  /** Rejects a call whose caller no longer waits. Does nothing if the call is settled. */
  abandon(id: number, error: BusError): void {
    const call = this.#take(id)
    if (!call) return
    const isUnsent = this.#onAbandon(id) === true
    const { reason, message, cause } = error
    call.reject(isUnsent ? new BusError(reason, message, { cause, data: { delivered: 'no' } }) : error)
  }

  rejectAll(createError: (id: number) => BusError): void {
    for (const call of this.#calls.takeAll().sort((a, b) => a.id - b.id)) {
      call.stopWatching?.()
      call.reject(createError(call.id))
    }
  }

  #take(id: number): PendingCall | undefined {
    const call = this.#calls.take(id)
    if (!call) return undefined
    call.stopWatching?.()
    return call
  }
}

/** Resolves once these calls have been settled: by default those that wait for a response now. Not a method: pages leave it out. */
export async function waitForCalls(pending: PendingCalls, calls: readonly PendingCall[] = pending.all): Promise<void> {
  await Promise.all(calls.map(call => new Promise<void>(done => onSettle(call, done))))
}

/** Resolves once no call waits for a response but streams: neither those of now, nor those that their callers make then. */
export async function waitForLastCalls(pending: PendingCalls): Promise<void> {
  for (let calls = getPlainCalls(pending); calls.length > 0; calls = getPlainCalls(pending)) {
    await waitForCalls(pending, calls)
    await new Promise<void>(onNextTick)
  }
}

/** Returns the calls that wait for a response, and are no streams. */
export const getPlainCalls = ({ all }: PendingCalls): readonly PendingCall[] => all.filter(call => !call.isStream)

/** Calls `done` after the call was settled. The call itself has the hook: other calls cost nothing more. */
function onSettle(call: PendingCall, done: () => void): void {
  const { resolve, reject } = call
  call.resolve = result => {
    resolve(result)
    done()
  }
  call.reject = error => {
    reject(error)
    done()
  }
}
