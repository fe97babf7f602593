// The link of a gate, which takes nothing in while its frontend has no room for what goes out, or while the hook holds too
// much: the frontend waits then, and the gate keeps a bounded amount.
import type { Frame, Link, LinkReceiver } from '@sallyport/protocol'

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
