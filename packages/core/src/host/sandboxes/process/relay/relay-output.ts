// The output of a process or a script on its way to the host, which takes one chunk after the other. What it has not taken yet delays the
// end of a process, so that a slow host loses nothing.
import type { MemberConnection, OutputStream } from '@sallyport/protocol/internal/contract'
import { MAX_WAITING_OUTPUT } from '@sallyport/protocol/internal/wire'

/** Bytes that are printed after the first deadline was set. Beyond it, time counts whether the host has taken the output or not. */
const MAX_LAST_OUTPUT = 8 * MAX_WAITING_OUTPUT

interface Deadline {
  /** Milliseconds that are left. */
  left: number
  since: number
  timer: NodeJS.Timeout | undefined
  readonly end: () => void
}

export class RelayOutput {
  readonly #host: Pick<MemberConnection, 'write'>
  readonly #deadlines = new Set<Deadline>()
  #waiting = 0
  #lastOutput = 0
  #isEnding = false
  #isPaused = false
  #onTaken = (): void => {}

  constructor(host: Pick<MemberConnection, 'write'>) {
    this.#host = host
  }

  /** Calls `done` once the host has asked for the chunk. Must not be called again for this stream before. */
  write(stream: OutputStream, chunk: Uint8Array | string, done: () => void): void {
    this.#waiting++
    if (this.#isEnding) this.#lastOutput += Buffer.byteLength(chunk)
    this.#update()
    this.#host.write(stream, chunk, () => {
      this.#waiting--
      this.#update()
      if (this.#waiting === 0) this.#onTaken()
      done()
    })
  }

  /** Calls `end` after `timeout` ms. Time in which the host has not taken what was printed does not count. */
  setDeadline(timeout: number, end: () => void): void {
    const deadline: Deadline = {
      ...{ left: timeout, since: 0, timer: undefined },
      end: () => {
        this.#deadlines.delete(deadline)
        end()
      },
    }
    this.#isEnding = true
    this.#deadlines.add(deadline)
    if (!this.#isPaused) start(deadline)
  }

  clearDeadlines(): void {
    for (const { timer } of this.#deadlines) clearTimeout(timer)
    this.#deadlines.clear()
  }

  /** Resolves once the host has taken all output. */
  async taken(): Promise<void> {
    while (this.#waiting > 0) await new Promise<void>(resolve => (this.#onTaken = resolve))
  }

  #update(): void {
    const isPaused = this.#waiting > 0 && this.#lastOutput <= MAX_LAST_OUTPUT
    if (isPaused === this.#isPaused) return
    this.#isPaused = isPaused
    for (const deadline of this.#deadlines) (isPaused ? pause : start)(deadline)
  }
}

function start(deadline: Deadline): void {
  deadline.since = performance.now()
  deadline.timer = setTimeout(deadline.end, deadline.left)
}

function pause(deadline: Deadline): void {
  clearTimeout(deadline.timer)
  deadline.left = Math.max(0, deadline.left - (performance.now() - deadline.since))
}
