// The doorbell of a thread: an asynchronous wait on the word that says it is parked. It measures the same as a port's
// message, and leaves no queue that a hostile side could fill; it does not keep a thread alive, which the port does.
import { RING_WORD, type RingMemory } from './ring.js'

// ES2024, in every Node that is supported; the libraries that TypeScript loads here end before.
type WaitAsync = (
  words: Int32Array,
  index: number,
  value: number,
) => { async: false; value: string } | { async: true; value: Promise<string> }
const { waitAsync } = Atomics as unknown as { waitAsync: WaitAsync }

export class RingDoorbell {
  readonly #control: Int32Array<SharedArrayBuffer>
  readonly #rung: () => void
  /** One wait at a time. It outlives times in which nobody is parked: nobody rings then. */
  #waits = false

  constructor(ring: RingMemory, heard: () => void) {
    this.#control = ring.control
    this.#rung = () => {
      this.#waits = false
      heard()
    }
  }

  /** Waits to be rung once. To be called after `park`: a ring in between is heard as well. */
  listen(): void {
    if (this.#waits) return
    this.#waits = true
    const wait = waitAsync(this.#control, RING_WORD.parked, 1)
    if (wait.async) void wait.value.then(this.#rung)
    else setImmediate(this.#rung)
  }

  /** Lets the wait go: a waiter that is never woken is memory that is never freed. */
  stop(): void {
    if (this.#waits) Atomics.notify(this.#control, RING_WORD.parked, 16)
  }
}
