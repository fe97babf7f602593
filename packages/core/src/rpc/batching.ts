// What core says many times over, messages of one channel or events of one name, goes in runs: one message, with all that
// differs in it. A run ends where anything else is said, so order holds, and at the end of its turn.
import { type CallMessage, type Codec, type EncodedMessage, type Outbox, putLast } from '@sallyport/protocol'

/** Values and bytes after which a run is sent: the receiver reads it while the next is written. */
const FULL_COUNT = 64
const FULL_BYTES = 16 * 1024

/** Whose values they are: what differs in nothing else. */
export interface BatchSource {
  /** The message of one value, which is the last of its params' members. `index` is that of the value. */
  one(value: unknown, index: number): CallMessage
  /** The message of several, with `null` in their place. */
  many(index: number): CallMessage
}

export class Batcher {
  readonly #outbox: Outbox
  readonly #begun: () => void
  #home: BatchSource | undefined
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
  add(home: BatchSource, index: number, codec: Codec, value: EncodedMessage): void {
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

  #begin(home: BatchSource, index: number, codec: Codec): void {
    this.close()
    this.#home = home
    this.#codec = codec
    this.#index = index
    this.#begun()
  }
}

// When core sends what it has to say. Answers that come late, each out of a callback of its own, wait for the end of the event
// loop's turn, and go in one frame: a frame of its own for each, with a waking of the peer, costs more than the answer does.
// But what follows from a frame that has just come in, by promises alone, goes as soon as those have settled.

let begun = false

/** Called where a frame has set promises going. */
export function flushAfterMicrotasks(): void {
  if (begun) return
  begun = true
  queueMicrotask(afterPromises)
}

/** Calls `flush` at the end of the turn. */
export function onEndOfTick(flush: () => void): void {
  if (begun) process.nextTick(flush)
  else setImmediate(flush)
}

let number = 0
let counting = false

/** Another one in each turn in which it is asked for. */
export function getTickCount(): number {
  if (!counting) {
    counting = true
    setImmediate(nextNumber)
  }
  return number
}

function nextNumber(): void {
  counting = false
  number++
}

// A tick that is asked for by a promise's callback runs when all promises have settled; one asked for earlier, before them.
const afterPromises = (): void => process.nextTick(endTurn)

function endTurn(): void {
  begun = false
}
