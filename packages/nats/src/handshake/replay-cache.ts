// Hellos that were accepted recently, so that no hello opens two sessions. Only authenticated hellos are added: only a holder of a
// credential can fill the cache.

/** Milliseconds by which the time of a hello may differ from core's clock, either way. */
export const MAX_HELLO_AGE = 30_000
/** A hello from the future stays valid for this long. */
const RETENTION_MS = 2 * MAX_HELLO_AGE
/** About a thousand a second during the retention; some 10 MB. */
export const MAX_HELLOS = 65_536

export class ReplayCache {
  /** Time after which a proof is too old anyway, by proof, in order of arrival. */
  readonly #expiries = new Map<string, number>()

  has(proof: string): boolean {
    return this.#expiries.has(proof)
  }

  /** Returns false if the cache is full. */
  add(proof: string, now: number): boolean {
    for (const [oldest, expiry] of this.#expiries) {
      if (expiry >= now) break
      this.#expiries.delete(oldest)
    }
    if (this.#expiries.size >= MAX_HELLOS) return false
    this.#expiries.set(proof, now + RETENTION_MS)
    return true
  }
}
