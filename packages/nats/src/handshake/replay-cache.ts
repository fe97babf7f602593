// The hellos that were taken lately, so that none opens two sessions. Only proven ones come here: nobody without a credential can
// fill it.

/** Milliseconds that a hello's time may differ from core's, either way. */
export const MAX_HELLO_AGE = 30_000
/** One from the future can be played again for so long. */
const KEPT = 2 * MAX_HELLO_AGE
/** A thousand a second for as long as they are kept; some 10 MB. */
export const MAX_HELLOS = 65_536

export class ReplayCache {
  /** Proof to the time from which it is too old anyway, in the order of arrival. */
  readonly #until = new Map<string, number>()

  has(proof: string): boolean {
    return this.#until.has(proof)
  }

  /** False where there is no room. */
  add(proof: string, now: number): boolean {
    for (const [old, until] of this.#until) {
      if (until >= now) break
      this.#until.delete(old)
    }
    if (this.#until.size >= MAX_HELLOS) return false
    this.#until.set(proof, now + KEPT)
    return true
  }
}
