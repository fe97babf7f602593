// A link over a broker to which anybody can publish. Each message is protected: forged and replayed messages are dropped, and a lost
// message ends the session. Credit bounds the bytes in flight, because a broker drops messages for a slow reader.
import type { Msg } from '@nats-io/transport-node'
import { BusError, isBusError } from '@sallyport/protocol/internal/errors'
import { silence } from '@sallyport/protocol/internal/contract'
import { StreamFrames } from '@sallyport/protocol/internal/link'
import { queueMicrotask } from '@sallyport/protocol/internal/util'
import {
  CREDIT_WINDOW_BYTES,
  CreditQueue,
  type Frame,
  LINGER_MS,
  type Link,
  MAX_BODY_BYTES,
  MAX_FRAGMENT_BYTES,
  type ReceivedFrame,
  ReceivingLink,
  TakenBytes,
} from '@sallyport/protocol/internal/wire'
import type { FaultReporter } from '../connection/errors.js'
import { hasNoResponders, type ProcessConnection } from '../connection/process-connection.js'
import type { SessionKeys } from '../handshake/messages.js'
import {
  addFragments,
  createCredit,
  createProtection,
  createSignal,
  type Fragment,
  getCost,
  MESSAGE,
  type Protection,
  type ProtectionOptions,
  readCredit,
  writeFragment,
} from './messages.js'

/** Publishes messages to the peer, in order. Must not call `handleMessage` within `publish`. */
export interface Wire {
  publish(message: Uint8Array): void
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

export class NatsLink extends ReceivingLink implements Link {
  readonly #options: NatsLinkOptions
  readonly #outgoing = new CreditQueue<Fragment>(
    fragment => this.#publish(writeFragment(fragment)),
    ({ start, end }) => getCost(end - start),
  )
  readonly #taken = new TakenBytes()
  /** Fragments wait here until the receiver takes their frames: while it is paused, they fill one window at most. */
  readonly #incoming = new StreamFrames(MAX_BODY_BYTES, fragment => this.#sendCredit(fragment))
  readonly #keepAlive: KeepAlive
  #hasOpened = false
  /** True once nothing is sent or read any more. Frames that have arrived before can still wait for delivery. */
  #isDetached = false
  /** See `Link`. */
  unsent = 0
  #endLinger = (): void => {}

  constructor(options: NatsLinkOptions) {
    super()
    this.#options = options
    this.#keepAlive = new KeepAlive(
      options.heartbeat,
      () => this.#publish(createSignal(MESSAGE.ping)),
      silenceMs => this.fail(new BusError('Disconnected', `The peer was silent for ${silenceMs} ms`)),
    )
  }

  get queued(): number {
    return this.#outgoing.queued
  }

  send(frame: Frame): void {
    if (this.#isDetached || !this.isOpen) return
    addFragments(frame, this.#outgoing, this.#options.wire.maxPayload)
  }

  room(): Promise<void> | undefined {
    return this.#outgoing.room()
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
    if (!this.isOpen) return
    this.closeDelivery()
    if (this.#isDetached) return
    if (!this.#outgoing.isWaiting) return this.#leave()
    this.#dropRest()
    this.#endLinger = silence(LINGER_MS, { readSign: () => this.queued, keepsAlive: false }, () => {
      this.unsent = this.#outgoing.waitingBytes
      this.#leave()
    })
  }

  /** Ends the link immediately, because the wire is lost. If the peer has closed the link before, that end is delivered instead. */
  fail(error: BusError): void {
    if (this.#isDetached) return
    this.#detach()
    this.failDelivery(this.isOpen ? error : undefined)
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
      if (!isBusError(error, 'InvalidRequest')) throw error
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
      if (type === MESSAGE.begin) return void (this.isOpen && this.#options.begun?.())
      if (type === MESSAGE.end) return void (this.isOpen && this.#options.ended?.())
    }
    this.#refuse(violation('a malformed message'))
  }

  /** A peer without room can read nothing, so it would never take what waits: it gets credit for what nobody reads. */
  #dropRest(): void {
    try {
      while (this.#incoming.next());
    } catch {
      // An invalid frame of a link that has closed.
    }
  }

  #handleData(fragment: Buffer): void {
    if (!this.isOpen) return this.#sendCredit(fragment)
    const isValid = fragment.length > 0 && fragment.length <= MAX_FRAGMENT_BYTES
    // A correct peer sends nothing after it has filled the window.
    if (!isValid || this.#incoming.waiting >= CREDIT_WINDOW_BYTES) {
      return this.#refuse(violation('more than it has credit for'))
    }
    this.#incoming.add(fragment, getCost(fragment.length))
    this.deliver()
  }

  protected nextFrame(): ReceivedFrame | undefined {
    return this.#incoming.next()
  }

  protected override ended(): void {
    this.#leave()
  }

  #sendCredit(fragment: Buffer): void {
    const total = this.#taken.add(getCost(fragment.length))
    if (total > 0) this.#publish(createCredit(total))
  }

  #handleCredit(total: number): void {
    if (!this.#outgoing.acknowledge(total)) return this.#refuse(violation('credit for bytes that were not sent'))
    if (!this.isOpen && !this.#outgoing.isWaiting) this.#leave()
  }

  #handleClose(): void {
    this.#detach()
    this.endDelivery()
  }

  #publish(message: Buffer): void {
    if (this.#isDetached) return
    try {
      this.#options.wire.publish(this.#options.protection.seal(message))
    } catch (cause) {
      // A sender does not expect the link to end within `send`.
      queueMicrotask(() => this.fail(new BusError('Disconnected', 'Publishing to NATS failed', { cause })))
    }
  }

  /** Ends the session after a protocol violation, and tries to notify the peer. */
  #refuse(fault: BusError): void {
    this.#publish(createSignal(MESSAGE.close))
    this.fail(fault)
  }

  #leave(): void {
    this.#publish(createSignal(MESSAGE.close))
    this.#detach()
    queueMicrotask(() => this.endDelivery())
  }

  #detach(): void {
    if (this.#isDetached) return
    this.#isDetached = true
    this.#keepAlive.stop()
    this.#endLinger()
    this.#outgoing.close()
    this.#options.detached?.()
  }
}

const violation = (what: string): BusError => new BusError('InvalidRequest', `The peer sent ${what}`)

/** Unanswered pings after which the peer counts as lost. */
const MAX_PINGS_OUT = 3
/** Share of the heartbeat that a suspected peer has to answer. */
const SUSPECT_SHARE = 0.5

/** Detects a peer that is gone or stopped. Messages only count. */
export class KeepAlive {
  readonly #heartbeat: number
  readonly #ping: () => void
  readonly #lost: (silenceMs: number) => void
  readonly #signs = { readSign: () => this.#received, keepsAlive: false }
  #received = 0
  #pingsOut = 0
  #endWatch!: () => void
  #endSuspicion: (() => void) | undefined
  #suspicionMs: number

  /** @param heartbeat - milliseconds of silence before a ping, and between pings */
  constructor(heartbeat: number, ping: () => void, lost: (silenceMs: number) => void) {
    this.#heartbeat = heartbeat
    this.#ping = ping
    this.#lost = lost
    this.#suspicionMs = SUSPECT_SHARE * heartbeat
    this.#watch()
  }

  /** Silence after which the peer is lost in any case. */
  get #silenceMs(): number {
    return (MAX_PINGS_OUT + 1) * this.#heartbeat
  }

  #watch(): void {
    this.#endWatch = silence(this.#heartbeat, this.#signs, () => {
      if (this.#pingsOut++ === MAX_PINGS_OUT) return this.#lost(this.#silenceMs)
      this.#watch()
      this.#ping()
    })
  }

  messageReceived(): void {
    this.#received++
    this.#pingsOut = 0
    if (!this.#endSuspicion) return
    this.#stopSuspecting()
    this.#suspicionMs *= 2
  }

  /** Ends a silent peer soon. The delay doubles after each false alarm; beyond the regular timeout, suspicions are ignored. */
  suspect(): void {
    const delay = this.#suspicionMs
    if (this.#endSuspicion || delay >= this.#silenceMs) return
    this.#endSuspicion = silence(delay, this.#signs, () => this.#lost(delay))
    this.#ping()
  }

  stop(): void {
    this.#endWatch()
    this.#stopSuspecting()
  }

  #stopSuspecting(): void {
    this.#endSuspicion?.()
    this.#endSuspicion = undefined
  }
}

export interface SessionLinkOptions
  extends
    Pick<ProtectionOptions, 'side'>,
    Pick<NatsLinkOptions, 'heartbeat' | 'opened' | 'begun' | 'ended' | 'detached'> {
  connection: Pick<ProcessConnection, 'publish' | 'maxPayload'>
  faults: FaultReporter
  label: string
  subject: string
  peerSubject: string
  keys: SessionKeys
}

/** Creates one end of a session's link: it publishes to the subject of the other end, protected with the keys of the handshake. */
export function createSessionLink(options: SessionLinkOptions): NatsLink {
  const { connection, faults, label, subject, peerSubject, side, keys, ...linkOptions } = options
  const wire = {
    // If nobody listens any more, the server reports that to the reply subject.
    publish: (message: Uint8Array) => connection.publish(peerSubject, message, subject),
    get maxPayload() {
      return connection.maxPayload
    },
  }
  const { session, wire: secret } = keys
  const protection = createProtection({ secret, session, side })
  const message = 'A forged or replayed message to the session was dropped'
  const createError = (): BusError => new BusError('InvalidRequest', message)
  const dropped = (): void => faults.add({ label, createError })
  const link = new NatsLink({ ...linkOptions, wire, protection, dropped })
  // Core accepts the session with its first authentic message, which proves that the hello was not a replay.
  if (side === 'frontend') wire.publish(protection.seal(createSignal(MESSAGE.ping)))
  return link
}

/** Handles a message to the subject of a link, from anybody. */
export function deliverMessage(link: NatsLink, message: Msg): void {
  if (hasNoResponders(message)) link.suspect()
  else link.handleMessage(message.data)
}
