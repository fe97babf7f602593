// The order of a gate: a message whose hook takes its time holds back those behind it, but not their hooks.
import {
  detachAttachments,
  type Frame,
  type Link,
  type LinkReceiver,
  MAX_IN_FLIGHT,
  type PackedMessage,
  type RequestId,
} from '@sallyport/protocol'

/** A message whose hook has not answered yet, or that waits behind one. */
export interface Waiting {
  readonly id: RequestId | undefined
  /** About what it holds. */
  readonly bytes: number
  /** Set once it may go, in its turn; `null` where it never will. */
  outcome: PackedMessage | null | undefined
}

export class VerdictQueue {
  readonly #link: Pick<GateLink, 'hold'>
  readonly #seal: (outcome: PackedMessage) => void
  readonly #waiting: Waiting[] = []

  constructor(link: Pick<GateLink, 'hold'>, seal: (outcome: PackedMessage) => void) {
    this.#link = link
    this.#seal = seal
  }

  /** As many wait as a frontend may have calls in flight. */
  get isFull(): boolean {
    return this.#waiting.length >= MAX_IN_FLIGHT
  }

  /** Of a message whose hook has not answered: what comes after it waits for `decide`. */
  wait(id: RequestId | undefined, bytes: number): Waiting {
    return this.#push(id, bytes, undefined)
  }

  /** @param outcome what goes to core; `null`: nothing */
  decide(waiting: Waiting, outcome: PackedMessage | null): void {
    waiting.outcome = outcome
    this.#release()
  }

  /** Goes at once, or once all before it are decided. What is sealed now needs no copy; what waits must not be the hook's to change. */
  pass(outcome: PackedMessage, id: RequestId | undefined, bytes: number): void {
    if (this.#waiting.length === 0) this.#seal(outcome)
    else this.#push(id, bytes, detachAttachments(outcome))
  }

  /** False where nothing of this id waits. */
  cancel(id: number): boolean {
    const waiting = this.#waiting.find(one => one.id === id)
    if (!waiting) return false
    waiting.outcome = null
    this.#release()
    return true
  }

  #push(id: RequestId | undefined, bytes: number, outcome: Waiting['outcome']): Waiting {
    const waiting = { id, bytes, outcome }
    this.#waiting.push(waiting)
    this.#link.hold(bytes)
    return waiting
  }

  #release(): void {
    while (this.#waiting[0]?.outcome !== undefined) {
      const { outcome, bytes } = this.#waiting.shift()!
      this.#link.hold(-bytes)
      if (outcome) this.#seal(outcome)
    }
  }
}

// The link of a gate, which takes nothing in while its frontend has no room for what goes out, or while the hook holds too
// much: the frontend waits then, and the gate keeps a bounded amount.

/** Bytes of messages that wait in the hook, or behind it, from which on no more are taken. */
const MAX_HELD_BYTES: number = 16 * 2 ** 20

export class GateLink {
  readonly #link: Link
  #full = false
  #held = 0
  #paused = false

  constructor(link: Link) {
    this.#link = link
  }

  receive(receiver: LinkReceiver): void {
    this.#link.receive(receiver)
  }

  send(frame: Frame): void {
    this.#link.send(frame)
    const room = this.#full ? undefined : this.#link.room()
    if (!room) return
    this.#full = true
    this.#update()
    void room.then(() => {
      this.#full = false
      this.#update()
    })
  }

  /** So many bytes more wait in the hook, or fewer. */
  hold(bytes: number): void {
    this.#held += bytes
    this.#update()
  }

  close(): void {
    this.#link.close()
  }

  #update(): void {
    const pause = this.#full || this.#held >= MAX_HELD_BYTES
    if (pause === this.#paused) return
    this.#paused = pause
    if (pause) this.#link.pause()
    else this.#link.resume()
  }
}
