// A link over two rings of shared memory: one for what this thread sends, one for what it receives. Their other ends can belong to
// one thread or to two. The reading thread polls while that pays, and sleeps otherwise. Invariants: `park` precedes the last check, on
// either side of a ring; no wait is a loop; a pass is bounded, so that the event loop stays alive.
import { onNextTick, queueMicrotask, readClock } from '#platform'
import { BusError, isBusError } from '../../errors/bus-error.js'
import { ReceivingLink, RoomSignal } from '../../wire/flow.js'
import {
  BodyBuffer,
  createLengthError,
  type Frame,
  getHeadroom,
  LINGER_MS,
  type Link,
  type LinkReceiver,
  ownsWholeBuffer,
  type ReceivedFrame,
  SMALL_BODY_BYTES,
} from '../../wire/link.js'
import { createPollPolicy, type PollMode, type PollPolicy, RingDoorbell } from './polling.js'
import {
  createRingError,
  HEADER_BYTES,
  openRing,
  RING_WORD,
  type RingMemory,
  RingReader,
  RingWriter,
} from './ring-buffer.js'
import { BoundedQueue } from '../../util/bounded-queue.js'
import { silence } from '../../util/timers.js'
import { MAX_BODY_BYTES } from '../../wire/limits.js'
import { FRAME_KIND, type FrameKind, isFrameKind } from '../../wire/messages.js'

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
  // oxlint-disable-next-line sallyport/no-own-timers -- keeps the thread alive, which the doorbells do not
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
    if (!this.#awaitsReplies || !this.#polling || this.#awake || !this.isReady) return
    const now = readClock()
    if (!this.#polling.mayStart(now, true)) return
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

  get unsent(): number {
    return this.#sender.unsent
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
    this.#sender.finishWhenIdle(this.isPatient, () => queueMicrotask(() => this.endDelivery()))
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
    // Its receiver can still send the last frames, but nothing more arrives.
    this.#awake = this.isReady && !this.isOver
    if (!this.#awake) return
    const now = this.#polling ? readClock() : 0
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
    // Its receiver can still send the last frames, but nothing more arrives.
    this.#awake = this.isReady && !this.isOver
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

/** Both threads copy at the same time if a large body has several parts. */
const MAX_PART_BYTES: number = 2 ** 16 - HEADER_BYTES

/**
 * Kind of a frame in the ring whose body is JSON in ASCII, whole: it is read as a string, with one copy and without a check. A peer that
 * writes other bytes sends other characters, which are valid ones.
 */
const ASCII_JSON = 0x41

export class RingSender extends RingWriter {
  readonly #doorbell: RingDoorbell
  /** A body that can be larger is written in parts. A shorter text is encoded in the ring itself. */
  readonly #maxBytes: number
  readonly #waiting = new BoundedQueue<Frame>()
  #written = 0
  /** See `Link`. */
  unsent = 0
  readonly #room = new RoomSignal()
  /** Set by `finishWhenIdle`: to be called when nothing waits any more. */
  #onFinished: (() => void) | undefined
  #endLinger = (): void => {}

  /** @param onFault - called with the error if the peer violated the protocol while frames waited */
  constructor(ring: RingMemory, onFault: (error: unknown) => void) {
    super(ring)
    this.#maxBytes = (ring.size >> 2) - HEADER_BYTES
    this.#doorbell = new RingDoorbell(ring, RING_WORD.wanted, () => {
      try {
        this.flush()
      } catch (error) {
        onFault(error)
      }
    })
  }

  get isIdle(): boolean {
    return this.#waiting.size === 0
  }

  /** Bytes that the consumer has not taken: waiting, or in the ring. 0 if it will take nothing more. */
  get queued(): number {
    return this.isAbandoned ? 0 : this.#waiting.bytes + this.unread()
  }

  room(): Promise<void> | undefined {
    return this.isIdle ? undefined : this.#room.promise
  }

  /** @throws {BusError} InvalidParams if the frame is too large; InvalidRequest if the peer violated the protocol */
  send({ kind, body: original, borrowed = false }: Frame): void {
    const mayBeLarge = typeof original === 'string' && original.length * 3 > this.#maxBytes
    const body = mayBeLarge ? Buffer.from(original) : original
    if (body.length > MAX_BODY_BYTES) throw createLengthError(body.length)
    if (!this.isIdle || !this.#write(kind, body)) {
      const isFirst = this.isIdle
      this.#waiting.push({ kind, body: mayBeLarge ? body : toOwnBody(kind, body, borrowed) }, body.length)
      if (isFirst) this.flush()
    }
    this.wake()
  }

  /** Writes waiting frames while there is room, and asks to be woken when there is more. */
  flush(): void {
    if (this.isIdle) return
    const position = this.position
    // Tried once more after `want`: the consumer could have made room before it was asked.
    if (!this.#writeWaiting()) {
      this.want()
      if (!this.#writeWaiting()) this.#doorbell.listen()
    }
    const hasWritten = this.position !== position
    if (hasWritten) this.wake()
    if (this.isIdle || this.isAbandoned) this.drop()
  }

  /** Ends the ring once nothing waits any more, or the consumer has taken nothing for some time. */
  finishWhenIdle(isPatient: boolean, onFinished: () => void): void {
    this.#onFinished = onFinished
    if (this.isIdle) return this.drop()
    if (isPatient) return
    this.#endLinger = silence(LINGER_MS, { readSign: () => this.position }, () => {
      this.unsent = this.#waiting.bytes - this.#written
      this.drop()
    })
  }

  /** Drops what waits, if anything: the consumer will not read it. */
  drop(): void {
    this.#waiting.clear()
    this.#written = 0
    this.#room.release()
    const onFinished = this.#onFinished
    if (!onFinished) return
    this.#onFinished = undefined
    this.#endLinger()
    this.#doorbell.stop()
    this.finish()
    onFinished()
  }

  #writeWaiting(): boolean {
    for (let frame = this.#waiting.peek(); frame; frame = this.#waiting.peek()) {
      if (!this.#write(frame.kind, frame.body)) return false
      this.#waiting.shift()
    }
    return true
  }

  /** Writes a body, or the rest of it. Returns false if the ring is full before its end. */
  #write(kind: FrameKind, body: Frame['body']): boolean {
    if (typeof body === 'string') {
      const offset = this.reserve(body.length * 3)
      if (offset < 0) return false
      const length = this.bytes.write(body, offset, body.length * 3)
      this.publish(kind === FRAME_KIND.json && length === body.length ? ASCII_JSON : kind, length, 0)
      return true
    }
    for (;;) {
      const start = this.#written
      const length = Math.min(body.byteLength - start, this.#maxBytes, MAX_PART_BYTES)
      const offset = this.reserve(length)
      if (offset < 0) return false
      this.bytes.set(length === body.byteLength ? body : body.subarray(start, start + length), offset)
      this.#written = start + length
      const remaining = body.byteLength - this.#written
      this.publish(kind, length, remaining)
      if (remaining === 0) break
      // The consumer copies this part while the next one is written.
      this.wake()
    }
    this.#written = 0
    return true
  }
}

/** Copies a body that has to wait, because the caller can change it meanwhile. Records and attachments belong to the link already. */
function toOwnBody(kind: FrameKind, body: Frame['body'], isBorrowed: boolean): Frame['body'] {
  if (typeof body === 'string' || kind === FRAME_KIND.sealed) return body
  return kind === FRAME_KIND.bytes && !isBorrowed && ownsWholeBuffer(body, 0) ? body : new Uint8Array(body)
}

const SLAB_BYTES: number = 2 ** 16

export class RingReceiver extends RingReader {
  /** True if JSON and records are read before the next frame is taken. */
  reusesMemory = false
  /** Memory for small bodies. No byte of a slab is used twice, unless it is reused for each frame. */
  #slab: Uint8Array = new Uint8Array(0)
  #slabUsed = 0
  #body: BodyBuffer | undefined
  #kind = 0

  /** Takes the current frame. Returns `undefined` if further parts of its body have to arrive. */
  take(): ReceivedFrame | undefined {
    const { length, kind, remaining } = this
    if (kind === ASCII_JSON && remaining === 0 && !this.#body) return { kind: FRAME_KIND.json, body: this.readLatin1() }
    if (!isFrameKind(kind)) throw createRingError('invalid kind of frame')
    if (this.#body || remaining > 0) return this.#takePart(kind, length, remaining)
    const body = this.#allocate(kind, length)
    this.copy(body, 0)
    return { kind, body }
  }

  #takePart(kind: FrameKind, length: number, remaining: number): ReceivedFrame | undefined {
    const isFirst = !this.#body
    if (isFirst && length + remaining > MAX_BODY_BYTES) throw createRingError('a frame out of bounds')
    this.#body ??= new BodyBuffer(length + remaining, getHeadroom(kind))
    if (isFirst) this.#kind = kind
    const body = this.#body
    // A part without bytes would let the sender occupy this thread for ever.
    const isNext = length > 0 && kind === this.#kind && remaining === body.missing - length
    if (!isNext) throw createRingError('a part out of order')
    this.copy(body.reserve(length), 0)
    if (remaining > 0) return undefined
    this.#body = undefined
    return { kind, body: body.complete() }
  }

  #allocate(kind: FrameKind, length: number): Uint8Array {
    // A user can keep or transfer bytes that MessagePack decodes, but never sees the memory of JSON and records.
    const isKept = kind === FRAME_KIND.msgpack || kind === FRAME_KIND.bytes
    if (isKept || length > (this.reusesMemory ? SLAB_BYTES : SMALL_BODY_BYTES)) return Buffer.allocUnsafeSlow(length)
    if (this.reusesMemory) this.#slabUsed = 0
    if (this.#slabUsed + length > this.#slab.length) {
      this.#slab = new Uint8Array(SLAB_BYTES)
      this.#slabUsed = 0
    }
    const from = this.#slabUsed
    this.#slabUsed += length
    return this.#slab.subarray(from, from + length)
  }
}
