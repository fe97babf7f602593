// The bytes of incomplete messages that a server has received from all pages of a label: any number of tabs can each begin one.
import { BusError } from '@sallyport/protocol/internal'

export class IncompleteMessages {
  #bytes = 0
  readonly #maxBytes: number

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes
  }

  /** Returns the fault of the page that exceeds the maximum of all pages of its label. */
  add(bytes: number): BusError | undefined {
    this.#bytes += bytes
    if (this.#bytes <= this.#maxBytes) return undefined
    const text = `Incomplete messages of all pages of a label exceeded ${this.#maxBytes} bytes (option "maxMessageBytes")`
    return new BusError('Overloaded', text)
  }

  remove(bytes: number): void {
    this.#bytes -= bytes
  }
}
