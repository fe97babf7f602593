// What was published and the server may not have had yet: the client itself would keep it without end.
import type { Connection } from '../connection/connection.js'

const MOST_BYTES = 16 * 2 ** 20

export class PublishWindow {
  readonly #connection: Pick<Connection, 'flush'>
  #bytes = 0
  #isAsking = false

  constructor(connection: Pick<Connection, 'flush'>) {
    this.#connection = connection
  }

  /** Counts what is published now. False where too much waits: it is not to be published. */
  add(bytes: number): boolean {
    if (this.#bytes > 0 && this.#bytes + bytes > MOST_BYTES) return false
    this.#bytes += bytes
    if (!this.#isAsking) void this.#ask()
    return true
  }

  /** The server answers once it has had all that came before. */
  async #ask(): Promise<void> {
    this.#isAsking = true
    while (this.#bytes > 0) {
      // What is published in this turn goes out before the question.
      await Promise.resolve()
      const asked = this.#bytes
      try {
        await this.#connection.flush()
        this.#bytes -= asked
      } catch {
        // With the connection, all of it is lost.
        this.#bytes = 0
      }
    }
    this.#isAsking = false
  }
}
