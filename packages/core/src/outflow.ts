// The way out of core to one frontend: what is said goes in runs and frames at the end of the turn, while the link has room,
// and waits in order while it has none.
import {
  createOutbox,
  type Codec,
  type EncodedMessage,
  type Link,
  type Outbox,
  type PackedMessage,
  type SendBatch,
  isUint8Array,
} from '@sallyport/protocol'
import { Backlog, type Encoded, type Said } from './backlog.js'
import { COUNT } from './meter.js'
import { Runs, type RunHome } from './runs.js'
import { atEndOfTurn } from './turn.js'

/** Told of a link that has no room. */
export interface OutflowEvents {
  /** What is said waits; or does no longer. */
  stalled(on: boolean): void
  /** Events that will not arrive, as they are dropped; */
  dropped(count: number): void
  /** and how many they were, when there is room to say so, before anything else. */
  tellDropped(count: number): void
}

const NONE: readonly never[] = []

export class Outflow {
  readonly #codec: Codec
  readonly #link: Link
  readonly #counts: Float64Array
  readonly #events: OutflowEvents
  readonly #outbox: Outbox
  readonly #runs: Runs
  readonly #backlog = new Backlog()
  #stalled = false
  #armed = false
  #held = false

  constructor(link: Link, codec: Codec, counts: Float64Array, events: OutflowEvents) {
    this.#codec = codec
    this.#link = link
    this.#counts = counts
    this.#events = events
    const arm = (): void => this.#arm()
    const send: SendBatch = (kind, body) => {
      counts[COUNT.bytesOut]! += body.length
      link.send({ kind, body })
      if (!this.#stalled) this.#look()
    }
    this.#outbox = createOutbox(send, undefined, arm)
    this.#runs = new Runs(this.#outbox, arm)
  }

  /** The frontend takes nothing, and no more can wait for it. */
  get isFull(): boolean {
    return this.#stalled && this.#backlog.isFull
  }

  /** Bytes that wait here, beside those of the link. */
  get waiting(): number {
    return this.#backlog.bytes
  }

  /** Resolves once there is room for more; none while there is. */
  room(): Promise<void> | undefined {
    return this.#stalled ? this.#link.room() : undefined
  }

  /** Says a message. */
  post(message: PackedMessage): void {
    if (this.#stalled) this.#backlog.add({ home: undefined, index: 0, encoded: message })
    else this.#postNow(message.codec, message.encoded, message.attachments)
  }

  /** Says a value of a run, or what goes alone. */
  put(home: RunHome, index: number, encoded: Encoded): void {
    if (this.#stalled) this.#backlog.add({ home, index, encoded })
    else this.#putNow(home, index, encoded)
  }

  /** Says an event: it, or one before it, may be dropped. */
  event(home: RunHome, encoded: Encoded): void {
    if (!this.#stalled) return this.#putNow(home, 0, encoded)
    const dropped = this.#backlog.addEvent(home, encoded)
    if (dropped === 0) return
    this.#counts[COUNT.dropped]! += dropped
    this.#events.dropped(dropped)
  }

  /** What is said until the next `flush` waits for it. */
  hold(): void {
    this.#held = true
  }

  flush(): void {
    this.#held = false
    this.#runs.close()
    this.#outbox.flush()
  }

  /** All that waits goes to the link, room or not, which is closed next. */
  finish(): void {
    this.#stalled = true
    for (let said = this.#backlog.take(); said; said = this.#backlog.take()) this.#say(said)
    this.flush()
  }

  #look(): void {
    const room = this.#link.room()
    if (!room) return
    this.#stalled = true
    this.#events.stalled(true)
    void room.then(() => this.#goOn())
  }

  #goOn(): void {
    this.#stalled = false
    const dropped = this.#backlog.takeDropped()
    if (dropped > 0) this.#events.tellDropped(dropped)
    while (!this.#stalled) {
      const said = this.#backlog.take()
      if (!said) break
      this.#say(said)
    }
    if (!this.#stalled) this.flush()
    if (!this.#stalled) this.#events.stalled(false)
  }

  #say({ home, index, encoded }: Said): void {
    if (home) this.#putNow(home, index, encoded)
    else {
      const { codec, encoded: message, attachments } = encoded as PackedMessage
      this.#postNow(codec, message, attachments)
    }
  }

  #putNow(home: RunHome, index: number, encoded: Encoded): void {
    if (typeof encoded === 'string' || isUint8Array(encoded)) this.#runs.add(home, index, this.#codec, encoded)
    else this.#postNow(encoded.codec, encoded.encoded, encoded.attachments)
  }

  #postNow(codec: Codec, encoded: EncodedMessage, attachments: readonly Uint8Array[] = NONE): void {
    this.#runs.close()
    this.#outbox.put(codec, encoded, attachments)
  }

  #arm(): void {
    if (this.#armed || this.#held) return
    this.#armed = true
    atEndOfTurn(this.#endTurn)
  }

  readonly #endTurn = (): void => {
    this.#armed = false
    this.flush()
  }
}
