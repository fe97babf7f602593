// What a client wants to send while its link has no room for it, or as many calls as may be are in flight: it waits here,
// encoded as it was, in its order. Answers, and the bus's own cancels and credit, pass by: what they let go on may be what is
// waited for. Hostile or not, a client that is not served costs a bounded amount.
import {
  BusError,
  type Codec,
  type EncodedMessage,
  type Link,
  MAX_WAITING,
  MAX_WAITING_BYTES,
  type Outbox,
  type PendingCalls,
} from '@sallyport/protocol'

/** How a client sends more than is taken. */
export interface FlowOptions {
  /** Calls in flight at a time, 1 to 16 384, which is the default; core refuses more. */
  window?: number
  /**
   * `wait`, the default: calls and events beyond the window, or for which the link has no room, wait in the client, in order,
   * up to 65 536 of them or 64 MiB. `reject`: they reject with `Overloaded` at once.
   */
  overflow?: 'wait' | 'reject'
}

export interface SendQueueOptions {
  link: Link
  outbox: Outbox
  pending: PendingCalls
}

interface Waiting {
  /** Of a call. */
  readonly id: number | undefined
  readonly bytes: number
  /** Takes itself out of the line; gone where its call was given up. */
  send: (() => void) | undefined
  /** What goes next after it. */
  after?: (() => void)[]
  /** Of an event whose sender waits. */
  settle?: { resolve(): void; reject(error: BusError): void }
}

/** So many that have gone are not worth clearing away. */
const COMPACT_THRESHOLD = 1024

/** In the place of one that was sent. */
const TOMBSTONE: Waiting = { id: undefined, bytes: 0, send: undefined }

export class SendQueue {
  readonly #link: Link
  readonly #outbox: Outbox
  readonly #pending: PendingCalls
  readonly #rejects: boolean
  #line: Waiting[] = []
  /** The first in the line. */
  #next = 0
  /** Those in the line that were given up. */
  #dead = 0
  readonly #calls = new Map<number, Waiting>()
  #bytes = 0
  #last: Waiting | undefined
  #listens = false
  /** The link is closed: nothing more goes. */
  #finished = false

  constructor({ link, outbox, pending }: SendQueueOptions, { overflow = 'wait' }: FlowOptions) {
    this.#link = link
    this.#outbox = outbox
    this.#pending = pending
    this.#rejects = overflow === 'reject'
  }

  /** Something waits. */
  get waits(): boolean {
    return this.#line.length > 0
  }

  /** Whether a call can't go at once. */
  get holdsCalls(): boolean {
    return this.#line.length > 0 || this.#pending.isFull() || this.#link.room() !== undefined
  }

  get holdsEvents(): boolean {
    return this.#line.length > 0 || this.#link.room() !== undefined
  }

  /** A place at the end, for one message. @throws BusError `Overloaded` where there is none */
  enqueue(id: number | undefined): Pick<Outbox, 'put'> {
    const count = this.#line.length - this.#next - this.#dead
    if (this.#rejects || count >= MAX_WAITING || this.#bytes >= MAX_WAITING_BYTES) throw this.#overloaded()
    return this.enqueueInternal(id)
  }

  /** As `place`, for what the bus itself has to say: there is always one. */
  enqueueInternal(id: number | undefined): Pick<Outbox, 'put'> {
    return { put: (codec, encoded, attachments) => this.#put(id, codec, encoded, attachments) }
  }

  /** A place beside a call that waits; none where it does not. */
  attachAfter(id: number): Pick<Outbox, 'put'> | undefined {
    const waiting = this.#calls.get(id)
    return (
      waiting && {
        put: (codec, encoded, attachments) =>
          void (waiting.after ??= []).push(() => this.#outbox.put(codec, encoded, attachments)),
      }
    )
  }

  /** Settles once what was put last has gone, and there is room for more. */
  async room(): Promise<void> {
    const last = this.#last
    if (last && this.waits) {
      await new Promise<void>((resolve, reject) => (last.settle = { resolve, reject }))
    }
    await this.#link.room()
  }

  has(id: number): boolean {
    return this.#calls.has(id)
  }

  /** Its caller has given it up; false where it has gone already. */
  remove(id: number): boolean {
    const waiting = this.#calls.get(id)
    if (!waiting) return false
    this.#calls.delete(id)
    this.#bytes -= waiting.bytes
    waiting.send = undefined
    this.#dead++
    this.#clearAway()
    return true
  }

  /** Sends what can go. To be called whenever a call has been settled, while something waits. */
  drain(): void {
    if (this.#finished) return
    for (; this.#next < this.#line.length; this.#next++) {
      const { id, send } = this.#line[this.#next]!
      if (!send) {
        this.#dead--
        continue
      }
      const full = id !== undefined && this.#pending.isFull(this.#calls.size)
      if (full || this.#link.room() !== undefined) {
        this.#clearAway()
        return this.#listen()
      }
      this.#line[this.#next] = TOMBSTONE
      send()
    }
    this.#line = []
    this.#next = this.#dead = 0
    this.#last = undefined
  }

  /** The link is closed next: events go, as they would have, and calls have nobody to answer to. */
  finish(): void {
    this.#finished = true
    const line = this.#line.slice(this.#next)
    for (const { id, send } of line) if (id === undefined) send?.()
    this.#line = line.filter(({ id }) => id !== undefined)
    this.#next = 0
  }

  /** The link is gone. What waited was not sent. */
  end(reason: BusError): void {
    const line = this.#line.slice(this.#next)
    this.#line = []
    this.#next = this.#dead = this.#bytes = 0
    this.#calls.clear()
    for (const { settle } of line) settle?.reject(reason)
  }

  #put(id: number | undefined, codec: Codec, encoded: EncodedMessage, attachments: readonly Uint8Array[] = []): void {
    const bytes = attachments.reduce((sum, { byteLength }) => sum + byteLength, encoded.length)
    const waiting: Waiting = {
      id,
      bytes,
      send: () => {
        this.#bytes -= bytes
        if (id !== undefined) this.#calls.delete(id)
        this.#outbox.put(codec, encoded, attachments)
        waiting.after?.forEach(next => next())
        waiting.settle?.resolve()
      },
    }
    this.#line.push(waiting)
    this.#last = waiting
    this.#bytes += bytes
    if (id !== undefined) this.#calls.set(id, waiting)
    this.#listen()
  }

  /** Room is told by the link; calls that settle, by the connection. */
  #listen(): void {
    const room = this.#link.room()
    if (!room || this.#listens) return
    this.#listens = true
    void room.then(() => {
      this.#listens = false
      this.drain()
    })
  }

  /** Of those that have gone, where they are most of the line: it may never be empty. */
  #clearAway(): void {
    const gone = this.#next + this.#dead
    if (gone <= COMPACT_THRESHOLD || gone * 2 <= this.#line.length) return
    this.#line = this.#line.slice(this.#next).filter(({ send }) => send !== undefined)
    this.#next = this.#dead = 0
  }

  #overloaded(): BusError {
    const why = this.#rejects ? 'no more can be in flight' : 'too much waits in the client already'
    return new BusError('Overloaded', `It was not sent: ${why}`, { data: { delivered: 'no' } })
  }
}
