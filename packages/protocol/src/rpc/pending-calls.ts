// The calls that wait for an answer: each is settled exactly once, by its answer, its deadline, its signal or the end of
// the link, whichever comes first. What comes later finds nobody and is dropped.
import { BusError, fromErrorObject } from '../errors/bus-error.js'
import { type CallOptions, watchDeadline } from '../message/call-options.js'
import type { RequestId, ResponseMessage } from '../message/message.js'
import { CallSlots } from './call-slots.js'

interface Call {
  readonly id: number
  resolve(result: unknown): void
  reject(error: BusError): void
  release: (() => void) | undefined
}

export class PendingCalls {
  readonly #calls = new CallSlots<Call>()
  readonly #abandoned: (id: number) => unknown
  #nextId = 1

  /** `abandoned` is told of a call that its caller gave up, and says `true` where it never was sent. */
  constructor(abandoned: (id: number) => unknown) {
    this.#abandoned = abandoned
  }

  get size(): number {
    return this.#calls.size
  }

  /**
   * An id for the next call. It is taken before its arguments are encoded: their `toJSON` may make calls too. Ids grow, and
   * pass over the slots of calls that take long.
   */
  takeId(): number {
    while (!this.#calls.isFree(this.#nextId)) this.#nextId++
    return this.#nextId++
  }

  /** @param usual the deadline in milliseconds of a call whose options have none */
  add(
    id: number,
    method: string,
    resolve: Call['resolve'],
    reject: Call['reject'],
    options: CallOptions | undefined,
    usual?: number,
  ): void {
    const call: Call = { id, resolve, reject, release: undefined }
    this.#calls.add(id, call)
    if (options !== undefined || usual !== undefined) {
      call.release = watchDeadline(method, options?.signal, options?.timeout ?? usual, error => this.abandon(id, error))
    }
  }

  /** Whether a call had this id: one that is settled may be answered late, or twice. */
  hasGiven(id: RequestId | null): boolean {
    return typeof id === 'number' && id > 0 && id < this.#nextId
  }

  /** False where nobody waits for the answer any more. */
  settle(response: ResponseMessage): boolean {
    const call = typeof response.id === 'number' ? this.#take(response.id) : undefined
    if (!call) return false
    if ('result' in response) call.resolve(response.result)
    else call.reject(fromErrorObject(response.error))
    return true
  }

  /** The caller gives the call up. It does nothing where it is settled already. */
  abandon(id: number, error: BusError): void {
    const call = this.#take(id)
    if (!call) return
    const unsent = this.#abandoned(id) === true
    const { reason, message, cause } = error
    call.reject(unsent ? new BusError(reason, message, { cause, data: { delivered: 'no' } }) : error)
  }

  rejectAll(makeError: (id: number) => BusError): void {
    for (const call of this.#calls.takeAll().sort((a, b) => a.id - b.id)) {
      call.release?.()
      call.reject(makeError(call.id))
    }
  }

  #take(id: number): Call | undefined {
    const call = this.#calls.get(id)
    if (!call) return undefined
    this.#calls.delete(id)
    call.release?.()
    return call
  }
}
