// A link over a broker to which anybody can publish. Each message is protected: forged and replayed messages are dropped, and a lost
// message ends the session. Credit bounds the bytes in flight, because a broker drops messages for a slow reader.
import {
  BusError,
  deliverFrame,
  type Frame,
  isBusError,
  LINGER_MS,
  type Link,
  type LinkReceiver,
} from '@sallyport/protocol/internal'
import { createCredit, createSignal, MESSAGE, readCredit, Reassembler } from './fragmentation.js'
import { KeepAlive } from './keep-alive.js'
import type { Protection } from './protection.js'
import { PublishQueue } from './publish-queue.js'

/** Publishes messages to the peer, in order. Must not call `handleMessage` within `publish`. */
export interface Wire {
  publish(message: Uint8Array): void
  /** Limit of the bytes of one message. */
  readonly maxPayload: number
}

export interface NatsLinkOptions {
  wire: Wire
  protection: Protection
  /** Milliseconds of silence before the peer is pinged. After three unanswered pings it is lost. */
  heartbeat: number
  /** The first authentic message has arrived: the peer is the one that made the handshake. */
  opened?(): void
  /** The peer's code begins. The report overtakes frames that wait for credit. */
  begun?(): void
  /** The peer's code is gone, and not only its link. The report overtakes frames that wait for credit. */
  ended?(): void
  /** A forged or replayed message was dropped. */
  dropped?(): void
  /** Nothing is sent or read any more: `handleMessage` has no effect from now on. */
  detached?(): void
}

export class NatsLink implements Link {
  readonly #options: NatsLinkOptions
  readonly #outgoing: PublishQueue
  readonly #incoming: Reassembler
  readonly #keepAlive: KeepAlive
  #receiver: LinkReceiver | undefined
  #hasOpened = false
  /** False once this end has closed the link, or the end of the link was delivered. */
  #isOpen = true
  /** True once nothing is sent or read any more. Frames that have arrived before can still wait for delivery. */
  #isDetached = false
  #isFinished = false
  #fault: BusError | undefined
  #isPaused = false
  #linger: NodeJS.Timeout | undefined

  constructor(options: NatsLinkOptions) {
    this.#options = options
    const { wire, heartbeat } = options
    this.#outgoing = new PublishQueue(
      message => this.#publish(message),
      () => wire.maxPayload,
    )
    this.#incoming = new Reassembler(total => this.#publish(createCredit(total)))
    this.#keepAlive = new KeepAlive(
      heartbeat,
      () => this.#publish(createSignal(MESSAGE.ping)),
      silenceMs => this.fail(new BusError('Disconnected', `The peer was silent for ${silenceMs} ms`)),
    )
  }

  get queued(): number {
    return this.#outgoing.queued
  }

  send(frame: Frame): void {
    if (this.#isOpen && !this.#isDetached) this.#outgoing.send(frame)
  }

  room(): Promise<void> | undefined {
    return this.#outgoing.room()
  }

  receive(receiver: LinkReceiver): void {
    this.#receiver = receiver
    queueMicrotask(() => (this.#isFinished ? this.#notifyClosed() : this.#deliver()))
  }

  pause(): void {
    this.#isPaused = true
  }

  resume(): void {
    if (this.#isPaused) queueMicrotask(() => this.#deliver())
    this.#isPaused = false
  }

  /** Reports to the peer that the code of this end begins. */
  begin(): void {
    this.#publish(createSignal(MESSAGE.begin))
  }

  /** Reports to the peer that the code of this end is gone, and not only its link. */
  end(): void {
    this.#publish(createSignal(MESSAGE.end))
  }

  close(): void {
    if (!this.#isOpen) return
    this.#isOpen = false
    this.#incoming.clear()
    if (this.#isDetached) return queueMicrotask(() => this.#finish())
    if (!this.#outgoing.isWaiting) return this.#leave()
    this.#linger = setTimeout(() => this.#leave(), LINGER_MS).unref()
  }

  /** Ends the link immediately, because the wire is lost. If the peer has closed the link before, that end is delivered instead. */
  fail(error: BusError): void {
    if (!this.#isDetached) this.#finish(this.#isOpen ? error : undefined)
  }

  /** Ends the link unless the peer answers soon. Anybody can send the hint that the peer is gone. */
  suspect(): void {
    if (!this.#isDetached) this.#keepAlive.suspect()
  }

  /** Handles a message that was published for this end, by anybody. The memory belongs to the link from now on. */
  handleMessage(message: Uint8Array): void {
    if (this.#isDetached) return
    const plain = this.#unseal(message)
    if (!plain) return
    this.#keepAlive.messageReceived()
    if (!this.#hasOpened) {
      this.#hasOpened = true
      this.#options.opened?.()
    }
    if (!this.#isDetached) this.#read(plain)
  }

  #unseal(message: Uint8Array): Buffer | undefined {
    try {
      const plain = this.#options.protection.open(message)
      if (!plain) this.#options.dropped?.()
      return plain
    } catch (error) {
      this.#refuse(error)
      return undefined
    }
  }

  #read(plain: Buffer): void {
    const type = plain[0]
    if (type === MESSAGE.data) return this.#handleData(plain.subarray(1))
    if (type === MESSAGE.credit) return this.#handleCredit(readCredit(plain))
    if (plain.length === 1) {
      if (type === MESSAGE.ping) return this.#publish(createSignal(MESSAGE.pong))
      if (type === MESSAGE.pong) return
      if (type === MESSAGE.close) return this.#handleClose()
      if (type === MESSAGE.begin) return void (this.#isOpen && this.#options.begun?.())
      if (type === MESSAGE.end) return void (this.#isOpen && this.#options.ended?.())
    }
    this.#refuse(violation('a malformed message'))
  }

  #handleData(fragment: Buffer): void {
    if (!this.#isOpen) return
    if (!this.#incoming.add(fragment)) return this.#refuse(violation('more than it has credit for'))
    this.#deliver()
  }

  #handleCredit(total: number): void {
    if (!this.#outgoing.handleCredit(total)) return this.#refuse(violation('credit for bytes that were not sent'))
    if (this.#isOpen) return
    if (this.#outgoing.isWaiting) this.#linger?.refresh()
    else this.#leave()
  }

  #handleClose(): void {
    this.#detach()
    if (this.#isOpen) this.#deliver()
    else this.#finish()
  }

  /** Sends the close after the last frame. */
  #leave(): void {
    this.#publish(createSignal(MESSAGE.close))
    this.#detach()
    queueMicrotask(() => this.#finish())
  }

  /** Delivers frames until the receiver pauses, and after the last frame the peer's close. */
  #deliver(): void {
    if (!this.#receiver || this.#isFinished) return
    try {
      while (this.#isOpen && !this.#isPaused) {
        const frame = this.#incoming.next()
        if (!frame) break
        deliverFrame(frame, this.#receiver)
      }
    } catch (error) {
      return this.#refuse(error)
    }
    if (!this.#isDetached || !this.#isOpen || this.#isPaused) return
    const isCut = this.#incoming.isWithinFrame
    this.#finish(isCut ? new BusError('Disconnected', 'The peer disconnected within a frame') : undefined)
  }

  #publish(message: Buffer): void {
    if (this.#isDetached) return
    try {
      this.#options.wire.publish(this.#options.protection.seal(message))
    } catch (cause) {
      // A sender does not expect the link to end within `send`.
      queueMicrotask(() => this.fail(new BusError('Disconnected', 'Publishing failed', { cause })))
    }
  }

  /** Ends the session after a protocol violation, and tries to notify the peer. */
  #refuse(error: unknown): void {
    if (!isBusError(error, 'InvalidRequest')) throw error
    this.#publish(createSignal(MESSAGE.close))
    this.#finish(this.#isOpen ? error : undefined)
  }

  #detach(): void {
    if (this.#isDetached) return
    this.#isDetached = true
    this.#keepAlive.stop()
    clearTimeout(this.#linger)
    this.#outgoing.close()
    this.#options.detached?.()
  }

  #finish(fault?: BusError): void {
    if (this.#isFinished) return
    this.#isFinished = true
    this.#isOpen = false
    this.#fault = fault
    this.#detach()
    this.#incoming.clear()
    this.#notifyClosed()
  }

  #notifyClosed(): void {
    const receiver = this.#receiver
    this.#receiver = undefined
    receiver?.closed(this.#fault)
  }
}

const violation = (what: string): BusError => new BusError('InvalidRequest', `The peer sent ${what}`)
