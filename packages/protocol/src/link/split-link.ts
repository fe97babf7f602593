// A link that sends to one link and receives from another: an end of the isolation pattern whose two directions lead to different places.
import type { Frame, Link, LinkReceiver } from '../wire/link.js'

export class SplitLink implements Link {
  readonly #to: Link
  readonly #from: Link

  constructor(to: Link, from: Link) {
    this.#to = to
    this.#from = from
    // Nothing is expected from there, and nothing is read that a hostile peer sends. A peer that no longer reads can still send.
    to.receive({ frame: () => {}, closed: () => {} })
    to.pause()
  }

  get frameMessages(): number | undefined {
    return this.#to.frameMessages
  }

  get queued(): number {
    return this.#to.queued
  }

  send(frame: Frame): void {
    this.#to.send(frame)
  }

  room(): Promise<void> | undefined {
    return this.#to.room()
  }

  receive(receiver: LinkReceiver): void {
    this.#from.receive({
      forwards: receiver.forwards === true,
      readsImmediately: receiver.readsImmediately === true,
      frame: frame => receiver.frame(frame),
      closed: fault => {
        receiver.closed(fault)
        // The receiver can have sent its last frames.
        this.#to.close()
      },
    })
  }

  pause(): void {
    this.#from.pause()
  }

  resume(): void {
    this.#from.resume()
  }

  close(): void {
    this.#to.close()
    this.#from.close()
  }
}
