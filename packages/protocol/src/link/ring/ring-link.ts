// A link over two rings: frames go through shared memory, and the reading thread polls while that pays and sleeps when it
// doesn't. Invariants: `park` comes before the last look, on either side of a ring; nothing waits in a loop; a pass is
// bounded, so the event loop lives; the port beside the rings carries what a ring announces, and its own end.
import type { MessagePort } from 'node:worker_threads'
import { type BusError, isBusError } from '../../errors/bus-error.js'
import type { Frame } from '../../wire/link.js'
import { deliverFrame, LINGER_MS, type Link, type LinkReceiver } from '../../wire/link.js'
import { RingDoorbell, RingPolling } from './polling.js'
import { openRing, RingReader, RingWriter } from './ring-buffer.js'
import { RingReceiver, RingSender } from './ring-io.js'

// What a link over two rings is made of, and how much of a turn it takes.

/** Looks at the ring within one turn of the event loop, while polling: about a microsecond, as much as the turn takes. */
const PROBES: number = 1000
/** One frame of 64 halves what frames of 16 reach with 64 calls in flight. */
const FRAME_MESSAGES: number = 16
/** Frames that are taken within one turn. */
const FRAMES_PER_PASS: number = 256

export interface RingLinkOptions {
  /** Memory of `createRingBuffers`: what is `out` here is `in` there. */
  out: SharedArrayBuffer
  in: SharedArrayBuffer
  /** Carries large frames, tells of the peer's end, and keeps the thread alive. */
  port: MessagePort
  /** This side mostly asks: it decides whether to poll, and begins as soon as it has sent. The other side follows it. */
  awaitsReplies?: boolean
  /** `false`: never poll, sleep whenever nothing is there. */
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
  #open = true
  #ended = false
  #fault: BusError | undefined
  /** The peer has closed, or is dead: what the ring holds is all there will be. */
  #peerGone = false
  #paused = false
  /** Awake: a turn of this link is scheduled. */
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
    this.#doorbell = new RingDoorbell(inRing, () => this.#rung())
    port.on('close', () => {
      this.#peerGone = true
      this.#sender.releaseRoom()
      if (this.#receiver || !this.#open) this.#finish()
    })
  }

  /** Threads that can't work at the same time are best off with few and full frames. */
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
    // A peer that reads while this thread has no turn has room by now.
    if (this.#sender.isIdle || this.#peerGone || this.#ended) return undefined
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

  /** The doorbell rang: there are frames, or room, or nothing. */
  #rung(): void {
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
    // Looked at before anything is sent from here, which would wake it.
    const peerPolls = this.#writer.peerAwake
    const more = this.#delivers && this.#take()
    if (!this.#open) return
    if (this.#peerGone) return this.#finish()
    const now = performance.now()
    if (this.#delivers && this.#polling?.mayStart(now, peerPolls)) return this.#startPolling(now)
    if (more || !this.#sleep()) return this.#serveLater()
    this.#awake = false
  }

  #startPolling(now: number): void {
    this.#awake = true
    this.#polling!.start(now)
    setImmediate(this.#poll)
  }

  readonly #poll = (): void => {
    if (!this.#open) return
    for (let probe = this.#paused ? PROBES : 0; probe < PROBES; probe++) {
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

  /** Hands over what has come, up to a bound; `true` where there may be more. */
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

  /** Parks, and then looks once more, for frames and for room; `false` where there is something to do. */
  #sleep(): boolean {
    // Frames wait in the ring for a receiver that is yet to come: no need to be rung for each.
    if (!this.#delivers && this.#sender.isIdle) return true
    this.#reader.park()
    this.#doorbell.listen()
    this.#flush()
    // Where the producer has unparked this side already, its ring is on the way.
    return this.#reader.isEmpty || !this.#delivers || !this.#reader.unpark()
  }

  /** Closed, but not everything is written: goes on while the peer takes something. */
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

  /** The peer is gone: the rest of what it sent, and the end. */
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

/** One end of a pair of rings; the other end is made in the other thread, with `out` and `in` swapped. */
export const createRingLink = (options: RingLinkOptions): Link => new RingLink(options)
