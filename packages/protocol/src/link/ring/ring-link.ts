// A link over two rings of shared memory: one for what this thread sends, one for what it receives. Their other ends can belong to
// one thread or to two. The reading thread polls while that pays, and sleeps otherwise. Invariants: `park` precedes the last check, on
// either side of a ring; no wait is a loop; a pass is bounded, so that the event loop stays alive.
import { onNextTick, queueMicrotask, readClock } from '#platform'
import { type BusError, isBusError } from '../../errors/bus-error.js'
import { ReceivingLink } from '../../wire/flow.js'
import type { Frame, Link, LinkReceiver, ReceivedFrame } from '../../wire/link.js'
import { createPollPolicy, type PollMode, type PollPolicy, RingDoorbell } from './polling.js'
import { openRing, RING_WORD } from './ring-buffer.js'
import { RingReceiver, RingSender } from './ring-io.js'

/** Checks of the ring within one tick while polling: about a microsecond, as long as the tick itself takes. */
const CHECKS_PER_TICK = 1000
/** With 64 calls in flight, a single frame of 64 has half the throughput of frames of 16. */
const FRAME_MESSAGES = 16
const FRAMES_PER_PASS = 256
const MAX_INTERVAL_MS: number = 2 ** 31 - 1

/** An end of a link: memory of `createRingBuffer`, and when it is polled. */
export interface RingEndpoint {
  out: SharedArrayBuffer
  in: SharedArrayBuffer
  poll: PollMode
}

export class RingLink extends ReceivingLink implements Link {
  readonly #awaitsReplies: boolean
  readonly #polling: PollPolicy | undefined
  readonly #reader: RingReceiver
  readonly #sender: RingSender
  readonly #doorbell: RingDoorbell
  /** Keeps the thread alive, which the doorbells do not. */
  readonly #keepAlive: NodeJS.Timeout = setInterval(() => {}, MAX_INTERVAL_MS)
  /** Threads that cannot run at the same time are best off with few and full frames. */
  frameMessages: number | undefined = FRAME_MESSAGES
  #awake = false
  #budget = 0

  /** @param awaitsReplies - true for an end that mostly sends requests: it decides whether to poll, right after it has sent */
  constructor({ out, in: inward, poll }: RingEndpoint, awaitsReplies = false) {
    super()
    const inRing = openRing(inward)
    this.#awaitsReplies = awaitsReplies
    this.#polling = createPollPolicy(poll, awaitsReplies)
    this.#reader = new RingReceiver(inRing)
    this.#sender = new RingSender(openRing(out), error => this.#fail(error))
    this.#doorbell = new RingDoorbell(inRing, RING_WORD.parked, this.#onDoorbell)
  }

  send(frame: Frame): void {
    if (!this.isOpen) return
    try {
      this.#sender.send(frame)
    } catch (error) {
      return this.#fail(error)
    }
    if (!this.#awaitsReplies || !this.#polling || !this.isReady) return
    const now = readClock()
    this.#polling.onSend(now)
    if (this.#awake || !this.#polling.mayStart(now, true)) return
    this.#reader.unpark()
    this.#startPolling(now)
  }

  override receive(receiver: LinkReceiver): void {
    this.#reader.reusesMemory = receiver.readsImmediately === true
    super.receive(receiver)
  }

  get queued(): number {
    if (this.isOver) return 0
    try {
      return this.#sender.queued
    } catch (error) {
      this.#fail(error)
      return 0
    }
  }

  room(): Promise<void> | undefined {
    if (this.#sender.isIdle) return undefined
    // The peer can have made room while this thread did not run.
    this.#flush()
    return this.#sender.room()
  }

  close(): void {
    if (!this.isOpen) return
    this.closeDelivery()
    this.#reader.abandon()
    this.#flush()
    this.#sender.finishWhenIdle(() => queueMicrotask(() => this.endDelivery()))
  }

  /** Called when the peer has rung: there can be frames, or the end of the ring, or neither. */
  readonly #onDoorbell = (): void => {
    if (!this.isOpen || this.#awake) return
    if (!this.#reader.isEmpty) this.#polling?.onDoorbell(readClock(), this.#reader.position)
    this.#serve()
  }

  #serveLater(): void {
    this.#awake = true
    onNextTick(() => this.#serve())
  }

  #serve(): void {
    this.#awake = true
    // Read before anything is sent from here, which would wake the peer.
    const peerPolls = this.#sender.peerAwake
    const hasMore = this.isReady && this.#take()
    this.#awake = this.isReady
    if (!this.#awake) return
    const now = readClock()
    if (this.#polling?.mayStart(now, peerPolls)) return this.#startPolling(now)
    if (hasMore || !this.#sleep()) return this.#serveLater()
    this.#awake = false
  }

  #startPolling(now: number): void {
    this.#awake = true
    this.#polling!.start(now)
    this.frameMessages = FRAME_MESSAGES
    onNextTick(this.#poll)
  }

  readonly #poll = (): void => {
    for (let check = 0; this.isReady && check < CHECKS_PER_TICK; check++) {
      if (!this.#reader.mayHaveFrame) continue
      this.#polling!.onFound(readClock(), this.#reader.position)
      this.#take()
      this.#flush()
      onNextTick(this.#poll)
      return
    }
    this.#flush()
    if (this.#reader.isFinished) this.#take()
    this.#awake = this.isReady
    if (!this.#awake) return
    const now = readClock()
    if (this.#polling!.mayContinue(now)) return onNextTick(this.#poll)
    if (!this.#sleep()) return this.#startPolling(now)
    this.frameMessages = this.#polling!.sharesProcessor ? undefined : FRAME_MESSAGES
    this.#awake = false
  }

  /** Delivers frames up to a bound, and then the end if it has come. Returns true if there can be more. */
  #take(): boolean {
    const isFinished = this.#reader.isFinished
    this.#budget = FRAMES_PER_PASS
    this.deliver()
    const hasMore = this.#budget === 0
    this.#budget = 0
    if (isFinished && !hasMore && this.isReady) this.endDelivery()
    return hasMore
  }

  protected nextFrame(): ReceivedFrame | undefined {
    let frame: ReceivedFrame | undefined
    while (!frame && this.#budget > 0 && this.#reader.next()) {
      this.#budget--
      frame = this.#reader.take()
      this.#reader.release()
    }
    return frame
  }

  protected override deliverLater(): void {
    if (this.isOver) super.deliverLater()
    else if (this.isReady && !this.#awake) this.#serveLater()
  }

  #flush(): void {
    try {
      this.#sender.flush()
    } catch (error) {
      this.#fail(error)
    }
  }

  /** Parks, and then checks once more for frames and for the end. Returns false if there is work. */
  #sleep(): boolean {
    this.#reader.park()
    this.#doorbell.listen()
    // If the producer has already unparked this side, its ring is in flight.
    return (this.#reader.isEmpty && !this.#reader.isFinished) || !this.#reader.unpark()
  }

  #fail(error: unknown): void {
    if (!isBusError(error, 'InvalidRequest')) throw error
    queueMicrotask(() => this.failDelivery(error))
    this.#abort()
  }

  #abort(): void {
    this.#sender.drop()
    this.close()
  }

  protected override failDelivery(fault: BusError | undefined): void {
    this.#abort()
    super.failDelivery(fault)
  }

  protected override endDelivery(): void {
    clearInterval(this.#keepAlive)
    this.#doorbell.stop()
    super.endDelivery()
  }

  protected override ended(): void {
    this.close()
  }
}
