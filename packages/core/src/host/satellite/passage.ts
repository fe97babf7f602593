// One link of a frontend on its way to a core elsewhere: a session is opened for it, and the two are joined. It ends with either.
import { openLink, type BusError, type Link, type SessionKey } from '@sallyport/protocol'
import type { MessagePort } from 'node:worker_threads'
import type { Attachment } from '../../control.js'
import { bridge } from '../../bridge.js'
import type { FarSession } from './far-core.js'

/**
 * Milliseconds for the rest: for what a frontend has sent before it went, as a core that takes nothing would hold it for ever; and
 * for the word that it is gone, which comes a moment after its link has closed, and goes over its session.
 */
const LAST_WORDS_MS = 2000

export interface PassageEvents {
  /** Its frontend can have the link. */
  opened(): void
  /** For good. */
  refused(error: BusError): void
  /** The frontend's own end has closed. */
  closed(fault: BusError | undefined): void
  /** The session has ended before that. */
  lost(fault: BusError | undefined): void
}

export class Passage {
  /** Resolves once nothing of it is left. */
  readonly over: Promise<void>
  readonly #attachment: Attachment
  readonly #given = new AbortController()
  #session: FarSession | undefined
  #near: Link | undefined
  #last: NodeJS.Timeout | undefined
  #hasClosed = false
  #isRetired = false
  #isOver = false

  /** @param open of a session, until the signal says that nobody waits for it */
  constructor(attachment: Attachment, open: (signal: AbortSignal) => Promise<FarSession>, told: PassageEvents) {
    this.#attachment = attachment
    // Its other end is closed where the frontend, or its gate, has gone meanwhile.
    attachment.end.port.once('close', () => this.giveUp())
    this.over = this.#run(open, told)
  }

  begin(): void {
    this.#session?.begin()
  }

  /** The frontend is gone. */
  end(): void {
    this.giveUp()
    if (this.#isOver) return
    this.#session?.end()
    this.retire()
  }

  /** Nothing more is to be said of its frontend: it ends with its link. */
  retire(): void {
    if (!this.#session || this.#isOver) return
    this.#isRetired = true
    if (this.#hasClosed) this.#session.link.close()
    this.#last ??= setTimeout(() => this.close(), LAST_WORDS_MS)
  }

  /** Another takes its place before it was open. */
  giveUp(): void {
    if (!this.#session) this.#given.abort()
  }

  /** At once. */
  close(): void {
    this.giveUp()
    this.#near?.close()
    this.#session?.link.close()
  }

  async #run(open: (signal: AbortSignal) => Promise<FarSession>, told: PassageEvents): Promise<void> {
    const { end, keyPort, runs } = this.#attachment
    const { signal } = this.#given
    try {
      const session = await open(signal)
      if (signal.aborted) {
        session.link.close()
        return
      }
      this.#session = session
    } catch (error) {
      if (!signal.aborted) told.refused(error as BusError)
      return
    } finally {
      if (!this.#session) {
        end.port.close()
        keyPort?.close()
      }
    }
    const { link, key } = this.#session
    handOver(key, keyPort)
    if (runs) this.#session.begin()
    this.#near = openLink(end, false)
    const bridged = bridge(this.#near, link, fault => {
      this.#hasClosed = true
      told.closed(fault)
      if (this.#isRetired) link.close()
      else this.#last = setTimeout(() => this.close(), LAST_WORDS_MS)
    })
    told.opened()
    const { first, far } = await bridged
    this.#isOver = true
    clearTimeout(this.#last)
    if (first === 'far') told.lost(far)
  }
}

/** Copies go to the gate, and only they stay: what was given may be part of a larger buffer. */
function handOver({ session, secret }: SessionKey, gate: MessagePort | undefined): void {
  if (gate) {
    const key: SessionKey = { session: Uint8Array.from(session), secret: Uint8Array.from(secret) }
    gate.postMessage(key, [key.secret.buffer as ArrayBuffer])
    gate.close()
  }
  secret.fill(0)
}
