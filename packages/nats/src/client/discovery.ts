// The instances of a bus, as they answer NATS's own discovery (ADR-32). Anybody can answer: what is found here are hints, and
// only a handshake shows that an instance is one.
import { randomBytes } from 'node:crypto'
import type { Msg } from '@nats-io/transport-node'
import type { Connection } from '../connection/connection.js'
import { discoverySubject, isName } from '../connection/subjects.js'
import type { ReplyInbox } from './reply-inbox.js'

/** Bytes of an answer at most. */
const MAX_ANSWER = 4096
/** Answers that are looked at, of those to one question: whoever floods finds no more than that heard. */
const MAX_ANSWERS = 256

export interface DiscoveryDeps {
  connection: Pick<Connection, 'publish' | 'isUp'>
  post: Pick<ReplyInbox, 'open' | 'close'>
  bus: string
  /** Milliseconds from one question to the next. */
  every: number
}

export class Discovery {
  readonly #parts: DiscoveryDeps
  readonly #watchers = new Set<(instance: string) => void>()
  #timer: NodeJS.Timeout | undefined
  #asked: string | undefined

  constructor(parts: DiscoveryDeps) {
    this.#parts = parts
  }

  /** Tells of each instance that answers, again and again. Gives back what ends that. */
  watch(found: (instance: string) => void): () => void {
    this.#watchers.add(found)
    this.#timer ??= setInterval(() => this.ask(), this.#parts.every).unref()
    this.ask()
    return () => {
      this.#watchers.delete(found)
      if (this.#watchers.size === 0) this.#stop()
    }
  }

  /** Now, and not only when it is time again. */
  ask(): void {
    const { connection, post, bus } = this.#parts
    if (this.#watchers.size === 0 || !connection.isUp) return
    if (this.#asked !== undefined) post.close(this.#asked)
    this.#asked = randomBytes(16).toString('hex')
    let answers = 0
    const reply = post.open(this.#asked, message => {
      if (++answers <= MAX_ANSWERS) this.#take(message)
    })
    connection.publish(discoverySubject(bus), new Uint8Array(), reply)
  }

  #take(message: Msg): void {
    const instance = readAnswer(message)
    if (instance !== undefined) for (const found of this.#watchers) found(instance)
  }

  #stop(): void {
    clearInterval(this.#timer)
    this.#timer = undefined
    if (this.#asked !== undefined) this.#parts.post.close(this.#asked)
  }
}

function readAnswer({ data }: Pick<Msg, 'data'>): string | undefined {
  if (data.byteLength > MAX_ANSWER) return undefined
  try {
    const { id } = Object(JSON.parse(Buffer.from(data).toString())) as { id?: unknown }
    return isName(id) ? id : undefined
  } catch {
    return undefined
  }
}
