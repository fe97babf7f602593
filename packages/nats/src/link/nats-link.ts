// A link over a broker that anybody may publish to: each message is protected, what is forged or repeated is dropped, and what
// is lost ends the session. The bus's own credit bounds what is on its way; a broker drops what a reader is too slow for.
import { BusError, deliver, type Frame, isBusError, LINGER_MS, type Link, type LinkReceiver } from '@sallyport/protocol'
import type { Protection } from './encryption.js'
import { creditMessage, Reassembler, MESSAGE, readCredit, signal } from './fragmentation.js'
import { KeepAlive } from './keep-alive.js'
import { PublishQueue } from './publish-queue.js'

/** Where messages go, in order, towards the peer. What comes is given to `take`, never from within `publish`. */
export interface Wire {
  publish(message: Uint8Array): void
  /** Bytes of a message at most. */
  readonly maxPayload: number
}

export interface NatsLinkOptions {
  wire: Wire
  protection: Protection
  /** Milliseconds without a word from the peer until it is asked for one. After three times it is lost. */
  heartbeat: number
  /** The first authentic message of the peer has come: nobody else can be there. */
  opened?(): void
  /** The peer's code begins. It overtakes frames that wait for credit. */
  begin?(): void
  /** The peer's code is gone for good, and not only its link. Likewise. */
  end?(): void
  /** A forged or replayed message was dropped. */
  dropped?(): void
  /** Nothing more comes or goes: `take` has no use any more. */
  over?(): void
}

export interface NatsLink extends Link {
  /** A message that has come. It is the link's from here on. */
  take(message: Uint8Array): void
  /** The wire is lost: the link ends at once. What its peer had closed before stays closed. */
  lost(error: BusError): void
  /** Somebody says that the peer is gone: anybody may, so it has a moment to show that it is not. */
  doubt(): void
  begin(): void
  end(): void
}

const peerFault = (what: string): BusError => new BusError('InvalidRequest', `The peer sent ${what}`)

class ProtectedLink implements NatsLink {
  readonly #options: NatsLinkOptions
  readonly #outgoing: PublishQueue
  readonly #incoming: Reassembler
  readonly #pulse: KeepAlive
  #receiver: LinkReceiver | undefined
  #opened = false
  #open = true
  /** Nothing more will come or go. */
  #over = false
  #ended = false
  #fault: BusError | undefined
  #paused = false
  #linger: NodeJS.Timeout | undefined

  constructor(options: NatsLinkOptions) {
    this.#options = options
    const { wire, heartbeat } = options
    this.#outgoing = new PublishQueue(
      message => this.#post(message),
      () => wire.maxPayload,
    )
    this.#incoming = new Reassembler(total => this.#post(creditMessage(total)))
    this.#pulse = new KeepAlive(
      heartbeat,
      () => this.#post(signal(MESSAGE.ping)),
      silence => this.lost(new BusError('Disconnected', `The peer was silent for ${silence} ms`)),
    )
  }

  get queued(): number {
    return this.#outgoing.queued
  }

  send(frame: Frame): void {
    if (this.#open && !this.#over) this.#outgoing.send(frame)
  }

  room(): Promise<void> | undefined {
    return this.#outgoing.room()
  }

  receive(receiver: LinkReceiver): void {
    this.#receiver = receiver
    queueMicrotask(() => (this.#ended ? this.#tell() : this.#deliver()))
  }

  pause(): void {
    this.#paused = true
  }

  resume(): void {
    if (this.#paused) queueMicrotask(() => this.#deliver())
    this.#paused = false
  }

  begin(): void {
    this.#post(signal(MESSAGE.begin))
  }

  end(): void {
    this.#post(signal(MESSAGE.end))
  }

  close(): void {
    if (!this.#open) return
    this.#open = false
    this.#incoming.clear()
    if (this.#over) return queueMicrotask(() => this.#finish())
    if (!this.#outgoing.waits) return this.#leave()
    this.#linger = setTimeout(() => this.#leave(), LINGER_MS).unref()
  }

  lost(error: BusError): void {
    if (!this.#over) this.#finish(this.#open ? error : undefined)
  }

  doubt(): void {
    if (!this.#over) this.#pulse.doubt()
  }

  take(message: Uint8Array): void {
    if (this.#over) return
    const plain = this.#unseal(message)
    if (!plain) return
    this.#pulse.heard()
    if (!this.#opened) {
      this.#opened = true
      this.#options.opened?.()
    }
    if (!this.#over) this.#read(Buffer.from(plain.buffer, plain.byteOffset, plain.byteLength))
  }

  #unseal(message: Uint8Array): Uint8Array | undefined {
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
    if (type === MESSAGE.data) return this.#data(plain.subarray(1))
    if (type === MESSAGE.credit) return this.#credit(readCredit(plain))
    if (plain.length !== 1) return this.#refuse(peerFault('a message that is none'))
    if (type === MESSAGE.ping) return this.#post(signal(MESSAGE.pong))
    if (type === MESSAGE.pong) return
    if (type === MESSAGE.close) return this.#peerClosed()
    if (type === MESSAGE.begin) return void (this.#open && this.#options.begin?.())
    if (type === MESSAGE.end) return void (this.#open && this.#options.end?.())
    this.#refuse(peerFault('a message that is none'))
  }

  #data(piece: Buffer): void {
    if (!this.#open) return
    if (!this.#incoming.add(piece)) return this.#refuse(peerFault('more than it has credit for'))
    this.#deliver()
  }

  #credit(total: number): void {
    if (!this.#outgoing.credit(total)) return this.#refuse(peerFault('credit for what was never sent'))
    if (this.#open) return
    if (this.#outgoing.waits) this.#linger?.refresh()
    else this.#leave()
  }

  #peerClosed(): void {
    this.#quiet()
    if (this.#open) this.#deliver()
    else this.#finish()
  }

  /** What was sent is on its way, and the end behind it. */
  #leave(): void {
    this.#post(signal(MESSAGE.close))
    this.#quiet()
    queueMicrotask(() => this.#finish())
  }

  /** Until it is paused, or nothing more is there; and then the end, where it has come. */
  #deliver(): void {
    if (!this.#receiver || this.#ended) return
    try {
      while (this.#open && !this.#paused) {
        const frame = this.#incoming.next()
        if (!frame) break
        deliver(frame, this.#receiver)
      }
    } catch (error) {
      return this.#refuse(error)
    }
    if (!this.#over || !this.#open || this.#paused) return
    this.#finish(this.#incoming.within ? new BusError('Disconnected', 'The peer has gone within a frame') : undefined)
  }

  #post(message: Buffer): void {
    if (this.#over) return
    try {
      this.#options.wire.publish(this.#options.protection.sealInPlace(message))
    } catch (cause) {
      // Whoever sends does not expect an end within it.
      queueMicrotask(() => this.lost(new BusError('Disconnected', 'Nothing can be published', { cause })))
    }
  }

  /** The session ends: its peer is told, as far as it can be. */
  #refuse(error: unknown): void {
    if (!isBusError(error, 'InvalidRequest')) throw error
    this.#post(signal(MESSAGE.close))
    this.#finish(this.#open ? error : undefined)
  }

  #quiet(): void {
    if (this.#over) return
    this.#over = true
    this.#pulse.stop()
    clearTimeout(this.#linger)
    this.#outgoing.end()
    this.#options.over?.()
  }

  #finish(fault?: BusError): void {
    if (this.#ended) return
    this.#ended = true
    this.#open = false
    this.#fault = fault
    this.#quiet()
    this.#incoming.clear()
    this.#tell()
  }

  #tell(): void {
    const receiver = this.#receiver
    this.#receiver = undefined
    receiver?.closed(this.#fault)
  }
}

export const createNatsLink = (options: NatsLinkOptions): NatsLink => new ProtectedLink(options)
