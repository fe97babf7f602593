// The bytes of incomplete messages that a server has received from all pages of a label: any number of tabs can each begin one.
import { BusError } from '@sallyport/protocol/internal/errors'
import { INCOMPLETE_TIMEOUT_MS } from '@sallyport/protocol/internal/wire'

/** The bytes of one page's incomplete message. */
export interface IncompleteMessage {
  /** Returns the fault of the page that exceeds the maximum of all pages of its label. */
  add(bytes: number): BusError | undefined
  /** The message is complete, or its page has left. */
  remove(bytes: number): void
}

export class IncompleteMessages {
  #bytes = 0
  readonly #maxBytes: number

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes
  }

  /** @param onStalled - called if the page sends nothing for INCOMPLETE_TIMEOUT_MS */
  open(onStalled: () => void): IncompleteMessage {
    let timer: NodeJS.Timeout | undefined
    return {
      add: bytes => {
        clearTimeout(timer)
        timer = setTimeout(onStalled, INCOMPLETE_TIMEOUT_MS)
        return this.#add(bytes)
      },
      remove: bytes => {
        clearTimeout(timer)
        this.#bytes -= bytes
      },
    }
  }

  #add(bytes: number): BusError | undefined {
    this.#bytes += bytes
    if (this.#bytes <= this.#maxBytes) return undefined
    const text = `Incomplete messages of all pages of a label exceeded ${this.#maxBytes} bytes (option "maxMessageBytes")`
    return new BusError('Overloaded', text)
  }
}
