// The order of a gate: a message whose hook takes its time holds back those behind it, but not their hooks.
import { MAX_IN_FLIGHT, claimAttachments, type PackedMessage, type RequestId } from '@sallyport/protocol'
import type { GateLink } from './gate-link.js'

/** A message whose hook has not answered yet, or that waits behind one. */
export interface Waiting {
  readonly id: RequestId | undefined
  /** About what it holds. */
  readonly bytes: number
  /** Set once it may go, in its turn; `null` where it never will. */
  outcome: PackedMessage | null | undefined
}

export class GateOrder {
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
    else this.#push(id, bytes, claimAttachments(outcome))
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
