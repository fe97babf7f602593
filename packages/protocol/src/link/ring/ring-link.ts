// A link over two rings of shared memory. The reading thread polls while that pays, and sleeps otherwise. Invariants: `park` precedes
// the last check, on either side of a ring; no wait is a loop; a pass is bounded, so that the event loop stays alive. The port carries
// out-of-band frames and the end of the link.
import type { MessagePort } from 'node:worker_threads'
import { type BusError, isBusError } from '../../errors/bus-error.js'
import { deliverFrame, type Frame, LINGER_MS, type Link, type LinkReceiver } from '../../wire/link.js'
import { RingDoorbell, RingPolling } from './polling.js'
import { openRing, RingReader, RingWriter } from './ring-buffer.js'
import { RingReceiver, RingSender } from './ring-io.js'

/** Checks of the ring within one tick while polling: about a microsecond, as long as the tick itself takes. */
const CHECKS_PER_TICK = 1000
/** With 64 calls in flight, a single frame of 64 has half the throughput of frames of 16. */
const FRAME_MESSAGES = 16
/** Maximum number of frames taken within one tick. */
const FRAMES_PER_PASS = 256

export interface RingLinkOptions {
  /** Memory of `createRingBuffers`. `out` of one end is `in` of the other. */
  out: SharedArrayBuffer
  in: SharedArrayBuffer
  /** Carries large frames and the end of the link, and keeps the thread alive. */
  port: MessagePort
  /** True for an end that mostly sends requests. It decides whether to poll, right after it has sent; the other end follows. */
  awaitsReplies?: boolean
  /** False if this end must never poll. @default true */
  poll?: boolean
}

class RingLink implements Link {
  readonly #port: MessagePort
  readonly #awaitsReplies: boolean
  readonly #polling: RingPolling | undefined
  readonly #reader: RingReader
  readonly #writer: RingWriter
  readonly #sender: RingSender
  readonly #frames: RingReceiver
  readonly #doorbell: RingDoorbell
  #receiver: LinkReceiver | undefined
  /** False after `close` on this end, and after a fault. */
  #open = true
  /** True if the peer has closed or died: the ring holds its last frames. */
  #peerGone = false
  /** True after `closed` was called. */
  #ended = false
  #fault: BusError | undefined
  #paused = false
  /** True if this link has work scheduled for a later tick. */
  #awake = false
  #linger: NodeJS.Timeout | undefined

  constructor({ out, in: inward, port, awaitsReplies = false, poll = true }: RingLinkOptions) {
    const [outRing, inRing] = [openRing(out), openRing(inward)]
    this.#port = port
    this.#awaitsReplies = awaitsReplies
    this.#polling = poll ? new RingPolling(awaitsReplies) : undefined
    this.#reader = new RingReader(inRing)
    this.#writer = new RingWriter(outRing)
    this.#sender = new RingSender(this.#writer, port)
    this.#frames = new RingReceiver(this.#reader, port)
    this.#doorbell = new RingDoorbell(inRing, () => this.#onDoorbell())
    port.on('close', () => {
      this.#peerGone = true
      this.#sender.releaseRoom()
      if (this.#receiver || !this.#open) this.#finish()
    })
  }

  /** Threads that cannot run at the same time are best off with few and full frames. */
  get frameMessages(): number | undefined {
    return this.#polling?.didNotPay ? undefined : FRAME_MESSAGES
  }

  send(frame: Frame): void {
    if (!this.#open || this.#peerGone) return
    try {
      this.#sender.send(frame)
    } catch (error) {
      return this.#fail(error)
    }
    if (this.#awake) return
    if (!this.#sender.isIdle) return this.#serveLater()
    if (!this.#awaitsReplies || !this.#polling || !this.#receiver) return
    const now = performance.now()
    if (!this.#polling.mayStart(now, true)) return
    this.#reader.unpark()
    this.#startPolling(now)
  }

  get queued(): number {
    return this.#peerGone || this.#ended ? 0 : this.#sender.queued
  }

  room(): Promise<void> | undefined {
    if (this.#sender.isIdle || this.#peerGone || this.#ended) return undefined
    // The peer can have made room while this thread did not run.
    this.#flush()
    return this.#sender.room()
  }

  receive(receiver: LinkReceiver): void {
    this.#receiver = receiver
    if (this.#ended) return queueMicrotask(() => receiver.closed(this.#fault))
    this.#frames.listen(error => this.#fail(error))
    if (!this.#awake) this.#serveLater()
  }

  pause(): void {
    this.#paused = true
  }

  resume(): void {
    if (!this.#paused) return
    this.#paused = false
    if (this.#open && this.#receiver && !this.#awake) this.#serveLater()
  }

  close(): void {
    if (!this.#open) return
    this.#open = false
    if (this.#peerGone) return queueMicrotask(() => this.#end())
    if (this.#sender.isIdle) return this.#port.close()
    this.#linger = setTimeout(() => this.#port.close(), LINGER_MS)
    this.#writeRest()
  }

  /** Called when the peer has rung: there can be frames, or room, or neither. */
  #onDoorbell(): void {
    if (this.#ended) return
    if (!this.#open) return this.#writeRest()
    if (this.#awake) return
    if (!this.#reader.isEmpty) this.#polling?.onDoorbell(performance.now(), this.#reader.position)
    this.#serve()
  }

  #serveLater(): void {
    this.#awake = true
    setImmediate(() => this.#serve())
  }

  #serve(): void {
    if (!this.#open) return
    this.#awake = true
    // Read before anything is sent from here, which would wake the peer.
    const peerPolls = this.#writer.peerAwake
    const hasMore = this.#delivers && this.#take()
    if (!this.#open) return
    if (this.#peerGone) return this.#finish()
    const now = performance.now()
    if (this.#delivers && this.#polling?.mayStart(now, peerPolls)) return this.#startPolling(now)
    if (hasMore || !this.#sleep()) return this.#serveLater()
    this.#awake = false
  }

  #startPolling(now: number): void {
    this.#awake = true
    this.#polling!.start(now)
    setImmediate(this.#poll)
  }

  readonly #poll = (): void => {
    if (!this.#open) return
    for (let check = this.#paused ? CHECKS_PER_TICK : 0; check < CHECKS_PER_TICK; check++) {
      if (!this.#reader.mayHaveFrame) continue
      this.#polling!.onFound(performance.now(), this.#reader.position)
      this.#take()
      if (!this.#open) return
      this.#flush()
      setImmediate(this.#poll)
      return
    }
    this.#flush()
    const now = performance.now()
    if (this.#paused || !this.#polling!.mayContinue(now)) {
      if (this.#sleep()) {
        this.#awake = false
        return
      }
      this.#polling!.start(now)
    }
    setImmediate(this.#poll)
  }

  /** Delivers frames up to a bound. Returns true if there can be more. */
  #take(): boolean {
    for (let taken = 0; taken < FRAMES_PER_PASS; taken++) {
      let frame
      try {
        if (!this.#reader.next()) return false
        frame = this.#frames.take()
      } catch (error) {
        this.#fail(error)
        return false
      }
      if (this.#reader.release()) this.#sender.wake()
      deliverFrame(frame, this.#receiver!)
      if (!this.#open || this.#paused) return false
    }
    return true
  }

  #flush(): boolean {
    try {
      return this.#sender.flush()
    } catch (error) {
      this.#fail(error)
      return false
    }
  }

  get #delivers(): boolean {
    return this.#receiver !== undefined && !this.#paused
  }

  /** Parks, and then checks once more for frames and for room. Returns false if there is work. */
  #sleep(): boolean {
    // Without delivery, frames wait in the ring and need no doorbell.
    if (!this.#delivers && this.#sender.isIdle) return true
    this.#reader.park()
    this.#doorbell.listen()
    this.#flush()
    // If the producer has already unparked this side, its ring is in flight.
    return this.#reader.isEmpty || !this.#delivers || !this.#reader.unpark()
  }

  /** Writes the rest of a closed link for as long as the peer takes some of it. */
  #writeRest(): void {
    this.#reader.park()
    this.#doorbell.listen()
    if (this.#flush()) this.#linger?.refresh()
    if (this.#sender.isIdle) this.#port.close()
  }

  #fail(error: unknown): void {
    if (!isBusError(error, 'InvalidRequest')) throw error
    if (this.#fault) return
    this.#open = false
    this.#fault = error
    this.#port.close()
    queueMicrotask(() => this.#end())
  }

  /** Delivers the last frames of a peer that is gone, and then the end. */
  #finish(): void {
    this.#reader.freeze()
    while (this.#open && this.#delivers && this.#take());
    this.#awake = false
    if (!this.#fault && !(this.#open && this.#paused)) this.#end()
  }

  #end(): void {
    if (this.#ended) return
    this.#open = false
    this.#ended = true
    clearTimeout(this.#linger)
    this.#doorbell.stop()
    this.#port.close()
    this.#sender.releaseRoom()
    this.#receiver?.closed(this.#fault)
  }
}

/** Creates one end of a link. The other end is created in the other thread, with `out` and `in` swapped. */
export const createRingLink = (options: RingLinkOptions): Link => new RingLink(options)
