// Byte credit, for a link whose transport takes whatever is sent: a receiver tells from time to time how many bytes it has
// taken in all, and its peer sends no more than a window beyond that. Both sides count alike. A total can be no more than was
// sent and only grows, so there is nothing that a hostile peer gains by one: more than that is a fault.
import { CREDIT_STEP_BYTES, CREDIT_WINDOW_BYTES } from './limits.js'

/** The sender's side. */
export class SentBytes {
  #sent = 0
  #taken = 0

  /** Bytes on their way. */
  get open(): number {
    return this.#sent - this.#taken
  }

  get full(): boolean {
    return this.#sent - this.#taken >= CREDIT_WINDOW_BYTES
  }

  add(bytes: number): void {
    this.#sent += bytes
  }

  /** False where the total is none. */
  taken(total: number): boolean {
    // Also false for NaN.
    if (!(total > this.#taken && total <= this.#sent && Number.isInteger(total))) return false
    this.#taken = total
    return true
  }
}

/** The receiver's side. */
export class TakenBytes {
  #taken = 0
  #told = 0

  /** Gives the total where it is to be told, else 0. */
  add(bytes: number): number {
    this.#taken += bytes
    if (this.#taken - this.#told < CREDIT_STEP_BYTES) return 0
    return (this.#told = this.#taken)
  }
}
