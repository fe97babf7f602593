// What code prints, at its source: texts wait there until the host asks for them. What has no room drops the oldest, which is counted, so neither
// code that prints nor its end waits for a busy host. What waits in a thread is lost with it, if its code hangs and it is terminated: so a thread sends
// ahead what fits into a window, and counts what it has printed in memory of the host.
import { MAX_LAST_OUTPUT, MAX_WAITING_OUTPUT } from '../wire/limits.js'

export type OutputStream = 'stdout' | 'stderr'

/** Source → host: a text, and the number of characters that were dropped before it. */
export interface OutputReport {
  type: 'output'
  stream: OutputStream
  text: string
  lost: number
}

/** Host → source: it has taken a text, and wants the next one. The first text of each stream needs no request, nor do those of a window. */
export interface OutputRequest {
  type: 'read'
  stream: OutputStream
}

/** Maximum UTF-16 code units of a text. */
export const MAX_OUTPUT_TEXT: number = 2 ** 16
/** Cost of a print in addition to its characters, so that many small ones do not evade the limit. */
const PRINT_COST = 64
/** Cost of the texts of a stream that a thread sends ahead: the last 2000 lines of code that hangs. */
const WINDOW: number = 2 ** 18

/** What the thread has printed for each stream, in UTF-16 code units modulo 2³². */
export const createPrinted = (): Uint32Array => new Uint32Array(new SharedArrayBuffer(8))
export const PRINTED_INDEX: Readonly<Record<OutputStream, number>> = { stdout: 0, stderr: 1 }

interface Queue {
  /** In order. Prints are joined up to the length of a text. */
  readonly waiting: { text: string; cost: number }[]
  cost: number
  lost: number
  /** Costs of the texts that the host has not taken, in order, and their sum. */
  readonly unread: number[]
  unreadCost: number
  /** Called once nothing waits. */
  sent: (() => void) | undefined
}

const createQueue = (): Queue => ({
  waiting: [],
  cost: 0,
  lost: 0,
  unread: [],
  unreadCost: 0,
  sent: undefined,
})

export class Output {
  readonly #send: (report: OutputReport) => void
  readonly #max: number
  readonly #printed: Uint32Array | undefined
  readonly #queues: Record<OutputStream, Queue> = { stdout: createQueue(), stderr: createQueue() }
  #isEnding = false
  /** Cost of what can be printed after all was sent, such as by listeners of a thread's exit. */
  #left = 0

  /**
   * @param max - of what waits for the host, for each stream. The last print can exceed it
   * @param printed - of a thread, whose texts are sent ahead
   */
  constructor(send: (report: OutputReport) => void, max: number = MAX_WAITING_OUTPUT, printed?: Uint32Array) {
    this.#send = send
    this.#max = max
    this.#printed = printed
  }

  print(stream: OutputStream, printed: string): void {
    if (printed === '') return
    const queue = this.#queues[stream]
    const { waiting } = queue
    if (this.#printed) Atomics.add(this.#printed, PRINTED_INDEX[stream], printed.length)
    const text = printed.slice(-MAX_LAST_OUTPUT)
    queue.lost += printed.length - text.length
    const cost = text.length + PRINT_COST
    queue.cost += cost
    const last = waiting.at(-1)
    if (last && last.cost + cost <= MAX_OUTPUT_TEXT) {
      last.text += text
      last.cost += cost
    } else waiting.push({ text, cost })
    while (queue.cost > this.#max && waiting.length > 1) {
      const dropped = waiting.shift()!
      queue.cost -= dropped.cost
      queue.lost += dropped.text.length
    }
    if (this.#left > 0) {
      this.#left -= cost
      while (waiting.length > 0) this.#sendNext(stream)
    } else this.#sendAhead(stream)
  }

  /** Calls `sent` once nothing of the stream waits for the host: for a source that can wait. It need not once it ends. */
  awaitSent(stream: OutputStream, sent: () => void): void {
    const queue = this.#queues[stream]
    if (this.#isEnding || queue.waiting.length === 0) return sent()
    queue.sent = sent
  }

  /** Takes a request of the host. */
  read(stream: OutputStream): void {
    const queue = this.#queues[stream]
    queue.unreadCost -= queue.unread.shift() ?? 0
    this.#sendAhead(stream)
  }

  /** The source ends: it need not wait for the host. */
  end(): void {
    this.#isEnding = true
    for (const queue of Object.values(this.#queues)) {
      queue.sent?.()
      queue.sent = undefined
    }
  }

  /** Sends all that waits: the source has ended. */
  flush(): void {
    this.#left = this.#max
    for (const stream of ['stdout', 'stderr'] as const)
      while (this.#queues[stream].waiting.length > 0) this.#sendNext(stream)
  }

  #sendAhead(stream: OutputStream): void {
    const queue = this.#queues[stream]
    const isFree = (cost: number): boolean =>
      queue.unread.length === 0 || (this.#printed !== undefined && queue.unreadCost + cost <= WINDOW)
    while (queue.waiting.length > 0 && isFree(Math.min(queue.waiting[0]!.cost, MAX_OUTPUT_TEXT))) this.#sendNext(stream)
  }

  #sendNext(stream: OutputStream): void {
    const queue = this.#queues[stream]
    const [first] = queue.waiting as [Queue['waiting'][number]]
    const text = first.text.slice(0, getEnd(first.text))
    const { lost } = queue
    queue.lost = 0
    const cost = text.length === first.text.length ? first.cost : text.length
    queue.unread.push(cost)
    queue.unreadCost += cost
    queue.cost -= cost
    if (text.length === first.text.length) queue.waiting.shift()
    else {
      first.text = first.text.slice(text.length)
      first.cost -= text.length
    }
    this.#send({ type: 'output', stream, text, lost })
    if (queue.waiting.length > 0) return
    const { sent } = queue
    queue.sent = undefined
    sent?.()
  }
}

function getEnd(text: string): number {
  if (text.length <= MAX_OUTPUT_TEXT) return text.length
  return MAX_OUTPUT_TEXT - ((text.charCodeAt(MAX_OUTPUT_TEXT - 1) & 0xfc00) === 0xd800 ? 1 : 0)
}
