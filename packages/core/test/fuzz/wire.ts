// The hostile end of a real link: sends arbitrary frames, and judges the answers.
import { isUtf8 } from 'node:buffer'
import { BatchReader, codecs } from '@sallyport/protocol/internal/codec'
import type { LinkEndpoint } from '@sallyport/protocol/internal/link'
import { FRAME_KIND, getText, type FrameKind, type Link, type ReceivedFrame } from '@sallyport/protocol/internal/wire'
import type { FuzzFrame } from './frames.js'

/** A value that only the honest frontend can see. */
export const CANARY = 'canary-of-the-honest-frontend'

/** The id of the request that shows whether a session goes on after a case. */
export const PROBE = 'the probe'

/** Milliseconds until a peer has to answer or close, on a busy machine. */
const TIMEOUT_MS = 15_000

const LEAK = /\n\s+at |file:\/\/|node_modules|node:internal|\.(?:ts|js|mjs):\d/u

/** Returns a path or stack within an error, if there is one. A frontend may send one to core, as the cause. */
function leakIn(message: unknown, isToCore: boolean): string | undefined {
  const { error } = (message ?? {}) as { error?: object }
  const text = JSON.stringify({ ...error, ...(isToCore && { cause: undefined }) })
  const leaks = LEAK.test(text) || text.includes(process.cwd())
  return leaks ? `leak: a path or a stack in ${text.slice(0, 300)}` : undefined
}

export class Wire {
  readonly link: Link
  /** The end that `link` was opened from, if a case can damage it. */
  readonly end: LinkEndpoint | undefined
  closed = false
  /** Number of frames that held the canary. */
  canaries = 0
  /** Secrets found in answers. */
  problem: string | undefined
  /** Reasons why answers are invalid. */
  unreadable: string | undefined
  /** Codes of the first error answers. */
  readonly codes: unknown[] = []
  readonly #reader = new BatchReader(true)
  readonly #answered = new Set<unknown>()
  readonly #isCore: boolean
  #wake = (): void => {}

  /** @param isCore - true if this end is core's */
  constructor(link: Link, end?: LinkEndpoint, isCore = false) {
    this.link = link
    this.end = end
    this.#isCore = isCore
    this.link.receive({
      frame: frame => this.#read(frame),
      closed: () => {
        this.closed = true
        this.#wake()
      },
    })
  }

  #read({ kind, body }: ReceivedFrame): void {
    try {
      if (getText(body).includes(CANARY)) this.canaries++
      for (const message of this.#reader.read(kind, body)) {
        const { id, method, error } = message as { id?: unknown; method?: unknown; error?: { code: number } }
        if (error && this.codes.length < 100) this.codes.push(error.code)
        this.problem ??= leakIn(message, this.#isCore)
        if (id !== undefined && method === undefined) this.#answered.add(id)
      }
    } catch (error) {
      this.unreadable ??= `an answer cannot be read: ${String(error)}`
    }
    this.#wake()
  }

  send({ kind, body }: FuzzFrame): void {
    // A client sends JSON as a string. Some kinds of bytes are transferred with the frame.
    const isText = kind === FRAME_KIND.json && isUtf8(body)
    this.link.send({ kind: kind as FrameKind, body: isText ? getText(body) : Uint8Array.from(body) })
  }

  ask(message: object): void {
    this.link.send({
      kind: FRAME_KIND.json,
      body: codecs.json.encode({ jsonrpc: '2.0', ...message } as never) as string,
    })
  }

  /** Resolves to true once the request is answered, or the link has closed. */
  async settles(id: unknown): Promise<boolean> {
    return this.until(() => this.closed || this.#answered.delete(id))
  }

  has(id: unknown): boolean {
    return this.#answered.has(id)
  }

  /** Has `until` check its condition again. */
  wake(): void {
    this.#wake()
  }

  /** Resolves to true once `done` returns true, which is checked after each frame. */
  async until(done: () => boolean): Promise<boolean> {
    let late = false
    const timer = setTimeout(() => {
      late = true
      this.#wake()
    }, TIMEOUT_MS)
    while (!done() && !late) {
      await new Promise<void>(resolve => (this.#wake = resolve))
    }
    clearTimeout(timer)
    return !late
  }
}

export const overheard = ({ canaries }: Wire): string | undefined =>
  canaries > 0 ? 'what was for another frontend was overheard' : undefined
