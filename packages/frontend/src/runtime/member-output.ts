// The output of a script that shares its thread: bounded, because the host takes one chunk after the other.
import type { OutputStream, MemberConnection } from '@sallyport/protocol/internal/contract'

/** Maximum number of UTF-16 code units that wait for the host, for each stream. Further lines are counted and dropped. */
const MAX_WAITING = 2 ** 20
/** Maximum length of a chunk that has more than one line. */
const MAX_CHUNK = 2 ** 16

interface Queue {
  lines: string[]
  /** Sum of the lengths of the lines. */
  length: number
  dropped: number
  /** Set while lines wait for the host. */
  writing: Promise<void> | undefined
}

const createQueue = (): Queue => ({ lines: [], length: 0, dropped: 0, writing: undefined })

/** Adds a line in the place of those that were dropped. */
function reportLost(queue: Queue): void {
  const line = `Output lost: ${queue.dropped} lines were printed faster than the host reads. Print less.\n`
  queue.dropped = 0
  queue.lines.push(line)
  queue.length += line.length
}

export class MemberOutput {
  readonly #host: Pick<MemberConnection, 'write'>
  readonly #queues: Record<OutputStream, Queue> = { stdout: createQueue(), stderr: createQueue() }

  constructor(host: Pick<MemberConnection, 'write'>) {
    this.#host = host
  }

  /** @param line - a text that ends with a line break */
  print(stream: OutputStream, line: string): void {
    const queue = this.#queues[stream]
    // A script that prints without an end fills each gap at once. It waits for a large one, so that few lines say what was lost.
    const room = (queue.dropped > 0 ? MAX_WAITING / 2 : MAX_WAITING) - queue.length
    if (line.length > room) {
      queue.dropped++
      return
    }
    if (queue.dropped > 0) reportLost(queue)
    queue.lines.push(line)
    queue.length += line.length
    queue.writing ??= this.#write(stream, queue)
  }

  /** Resolves once the host has taken all lines. */
  flushed(): Promise<unknown> {
    return Promise.all(Object.values(this.#queues).map(async ({ writing }) => writing))
  }

  async #write(stream: OutputStream, queue: Queue): Promise<void> {
    while (queue.lines.length > 0) {
      let chunk = queue.lines[0]!
      let count = 1
      while (count < queue.lines.length && chunk.length < MAX_CHUNK) chunk += queue.lines[count++]!
      queue.lines.splice(0, count)
      queue.length -= chunk.length
      // Not in this tick: a script that prints without an end must not keep the thread.
      await new Promise<void>(resolve => this.#host.write(stream, chunk, () => setImmediate(resolve)))
      if (queue.lines.length === 0 && queue.dropped > 0) reportLost(queue)
    }
    queue.writing = undefined
  }
}
