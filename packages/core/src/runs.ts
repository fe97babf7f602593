// What core says many times over, messages of one channel or events of one name, goes in runs: one message, with all that
// differs in it. A run ends where anything else is said, so order holds, and at the end of its turn.
import { putLast, type CallMessage, type Codec, type EncodedMessage, type Outbox } from '@sallyport/protocol'

/** Values and bytes after which a run is sent: the receiver reads it while the next is written. */
const FULL_COUNT = 64
const FULL_BYTES = 16 * 1024

/** Whose values they are: what differs in nothing else. */
export interface RunHome {
  /** The message of one value, which is the last of its params' members. `index` is that of the value. */
  one(value: unknown, index: number): CallMessage
  /** The message of several, with `null` in their place. */
  many(index: number): CallMessage
}

export class Runs {
  readonly #outbox: Outbox
  readonly #begun: () => void
  #home: RunHome | undefined
  #codec: Codec | undefined
  #index = 0
  #values: EncodedMessage[] = []
  #bytes = 0

  /** @param begun is called when a run begins: whoever gives it closes the run at the end of the turn */
  constructor(outbox: Outbox, begun: () => void) {
    this.#outbox = outbox
    this.#begun = begun
  }

  /** @param index of the value, where its home counts them: the next of a run has the next */
  add(home: RunHome, index: number, codec: Codec, value: EncodedMessage): void {
    if (home !== this.#home || codec !== this.#codec) this.#begin(home, index, codec)
    this.#bytes += value.length
    if (this.#values.push(value) < FULL_COUNT && this.#bytes < FULL_BYTES) return
    this.close()
    this.#outbox.flush()
  }

  /** Ends the run: its message is in the outbox. */
  close(): void {
    if (!this.#home) return
    const [home, codec, values] = [this.#home, this.#codec!, this.#values]
    this.#home = undefined
    this.#values = []
    this.#bytes = 0
    const message = values.length === 1 ? home.one(null, this.#index) : home.many(this.#index)
    this.#outbox.put(codec, putLast(codec.encode(message), codec.join(values)))
  }

  #begin(home: RunHome, index: number, codec: Codec): void {
    this.close()
    this.#home = home
    this.#codec = codec
    this.#index = index
    this.#begun()
  }
}
