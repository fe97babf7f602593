// Back-pressure of links: what a link sends waits for credit, and what has arrived waits for its receiver.
import { createEmptyContext, HAS_CONTEXTS, IS_NODE, queueMicrotask } from '#platform'
import { BusError, describeThrown, isBusError } from '../errors/bus-error.js'
import { BoundedQueue } from '../util/bounded-queue.js'
import { createDeferred, type Deferred, throwLater } from '../util/promises.js'
import { CREDIT_STEP_BYTES, CREDIT_WINDOW_BYTES } from './limits.js'
import type { LinkReceiver, ReceivedFrame } from './link.js'

/** The promise of a full link that it has room again, shared by everyone who waits. */
export class RoomSignal {
  #waiting: Deferred<void> | undefined

  get promise(): Promise<void> {
    return (this.#waiting ??= createDeferred()).promise
  }

  release(): void {
    this.#waiting?.resolve()
    this.#waiting = undefined
  }
}

/**
 * Byte credit, the sender's side. The receiver regularly reports the total of bytes that it has taken. The sender sends no more than
 * a window beyond that total; further messages wait here. Totals only grow and never exceed what was sent, so a false total gains
 * nothing.
 */
export class CreditQueue<Message extends object | string> {
  readonly #send: (message: Message) => void
  readonly #getCost: (message: Message) => number
  readonly #room = new RoomSignal()
  readonly #waiting = new BoundedQueue<Message>()
  #sent = 0
  #taken = 0
  #isClosed = false

  constructor(send: (message: Message) => void, getCost: (message: Message) => number) {
    this.#send = send
    this.#getCost = getCost
  }

  /** Bytes that wait, or are in flight. 0 after `close`, and for so few that the receiver would not have reported that it took them. */
  get queued(): number {
    const inFlight = this.#sent - this.#taken
    return this.#isClosed || inFlight < CREDIT_STEP_BYTES ? 0 : inFlight + this.#waiting.bytes
  }

  get isWaiting(): boolean {
    return this.#waiting.size > 0
  }

  get waitingBytes(): number {
    return this.#waiting.bytes
  }

  /** Returns a promise that resolves when no message waits, or `undefined` if none does. */
  room(): Promise<void> | undefined {
    return this.isWaiting ? this.#room.promise : undefined
  }

  /** Sends a message, or queues it. Drops it after `close`. */
  add(message: Message): void {
    if (this.#isClosed) return
    if (this.isWaiting || this.#isFull) this.#waiting.push(message, this.#getCost(message))
    else this.#sendNow(message)
  }

  /** Handles a total that the receiver reported. Returns false if the total is impossible. */
  acknowledge(total: unknown): boolean {
    // NaN and other types fail the comparison too.
    const isPossible = Number.isInteger(total) && (total as number) > this.#taken && (total as number) <= this.#sent
    if (!isPossible) return false
    this.#taken = total as number
    while (this.isWaiting && !this.#isFull) this.#sendNow(this.#waiting.shift()!)
    if (!this.isWaiting) this.#room.release()
    return true
  }

  /** Drops the messages that wait: nothing more can be sent. */
  close(): void {
    this.#isClosed = true
    this.#waiting.clear()
    this.#room.release()
  }

  get #isFull(): boolean {
    return this.#sent - this.#taken >= CREDIT_WINDOW_BYTES
  }

  #sendNow(message: Message): void {
    this.#sent += this.#getCost(message)
    this.#send(message)
  }
}

/** Byte credit, the receiver's side. */
export class TakenBytes {
  #taken = 0
  #reported = 0

  /** Returns the total if it is time to report it, otherwise 0. */
  add(bytes: number): number {
    this.#taken += bytes
    if (this.#taken - this.#reported < CREDIT_STEP_BYTES) return 0
    return (this.#reported = this.#taken)
  }
}

/** The fault of a link whose receiver has thrown. Not a method: pages leave it out. */
export const createOwnFault = (error: unknown): BusError =>
  new BusError('InternalError', `A frame was not handled: ${describeThrown(error)}`)

/** The receiving half of a link: delivers frames while the receiver is not paused, and then the end, once. */
export abstract class ReceivingLink {
  /** See `Link`. */
  isPatient = false
  /** False once this end has closed the link, or the link has failed. */
  protected isOpen = true
  /** True once nothing more arrives. Frames can still wait for the receiver. */
  protected isOver = false
  #receiver: LinkReceiver | undefined
  #isPaused = false
  #hasEnded = false
  #fault: BusError | undefined

  /** Returns the next frame that has arrived, or throws a `BusError` if the peer violated the protocol. */
  protected abstract nextFrame(): ReceivedFrame | undefined

  /** Called after the receiver got the end. It can have sent last frames unless there was a fault. */
  protected ended(_fault: BusError | undefined): void {}

  /** True if `deliver` takes the next frame. */
  protected get isReady(): boolean {
    return this.#receiver !== undefined && this.isOpen && !this.#isPaused
  }

  receive(receiver: LinkReceiver): void {
    this.#receiver = receiver
    this.deliverLater()
  }

  pause(): void {
    this.#isPaused = true
  }

  resume(): void {
    if (!this.#isPaused) return
    this.#isPaused = false
    this.deliverLater()
  }

  protected deliverLater(): void {
    queueMicrotask(() => this.deliver())
  }

  protected deliver(): void {
    try {
      while (this.isReady) {
        const frame = this.nextFrame()
        if (!frame) break
        try {
          const receiver = this.#receiver!
          if (HAS_CONTEXTS) createEmptyContext().runInAsyncScope(receiver.frame, receiver, frame)
          else receiver.frame(frame)
        } catch (error) {
          // The fault of the receiver's owner, and not of the peer.
          if (IS_NODE && this.#receiver!.isShared) this.failDelivery(createOwnFault(error))
          else throwLater(error)
        }
      }
    } catch (error) {
      if (!isBusError(error)) throw error
      return this.failDelivery(error)
    }
    if (this.isOver) this.#reportEnd()
  }

  /** Handles the end of the link: no frame follows those that have arrived. */
  protected endDelivery(): void {
    this.isOver = true
    this.deliver()
  }

  /** Reports the end now, without the frames that wait. @param fault - `undefined` if this end had closed the link before */
  protected failDelivery(fault: BusError | undefined): void {
    this.isOpen = false
    this.isOver = true
    this.#fault = fault
    this.#reportEnd()
  }

  /** Closes this end: the receiver gets nothing more but the end, in a later microtask. */
  protected closeDelivery(): void {
    this.isOpen = false
    if (this.isOver) queueMicrotask(() => this.#reportEnd())
  }

  #reportEnd(): void {
    if (!this.isOver || this.#hasEnded || !this.#receiver || (this.isOpen && this.#isPaused)) return
    this.#hasEnded = true
    const receiver = this.#receiver
    const closed = HAS_CONTEXTS
      ? createEmptyContext().runInAsyncScope(receiver.closed, receiver, this.#fault)
      : receiver.closed(this.#fault)
    if (IS_NODE && closed instanceof Promise) {
      const end = (): void => this.ended(this.#fault)
      void closed.then(end, end)
    } else this.ended(this.#fault)
  }
}
