// What V8 prints when a process runs out of memory: its last garbage collections and a native stack. Neither is output of the code.

/** A report has a few KiB. Code that prints its first line, and then more, is not held back any further. */
const MAX_LENGTH = 2 ** 15
const FIRST_LINE = /^\n?(?:<--- Last few GCs --->|FATAL ERROR: |#\n# Fatal )/m
const NOTHING: Buffer = Buffer.alloc(0)

export class CrashReport {
  #withheld: Buffer | undefined
  #isOver = false

  /** What the process has printed from the first line of a report on. It is output unless the process has run out of memory. */
  get withheld(): Buffer {
    return this.#withheld ?? NOTHING
  }

  /** Returns the part of a chunk that does not belong to a report. */
  withhold(chunk: Buffer): Buffer {
    if (this.#isOver) return chunk
    const begin = this.#withheld ? 0 : chunk.toString('latin1').search(FIRST_LINE)
    if (begin < 0) return chunk
    this.#withheld = Buffer.concat([this.withheld, chunk.subarray(begin)])
    if (this.#withheld.length <= MAX_LENGTH) return chunk.subarray(0, begin)
    this.#isOver = true
    const released = this.#withheld
    this.#withheld = undefined
    return Buffer.concat([chunk.subarray(0, begin), released])
  }
}
