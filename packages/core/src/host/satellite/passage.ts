// One link of a frontend on its way to a core elsewhere: a session is opened for it, and the two are joined. It ends with either.
import { openLink, type BusError, type Link, type SessionKey } from '@sallyport/protocol'
import type { MessagePort } from 'node:worker_threads'
import type { Attachment } from '../../control.js'
import { bridge, type BridgeEnd } from '../../bridge.js'
import type { FarSession } from './far-core.js'

/** Milliseconds for what a frontend has sent before it went; a core that takes nothing would hold it for ever. */
const LAST_WORDS_MS = 1000

export interface PassageEvents {
  /** Its frontend can have the link. */
  opened(): void
  /** For good. */
  refused(error: BusError): void
  ended(end: BridgeEnd): void
}

export class Passage {
  /** Resolves once nothing of it is left. */
  readonly over: Promise<void>
  readonly #attachment: Attachment
  readonly #given = new AbortController()
  #session: FarSession | undefined
  #near: Link | undefined
  #last: NodeJS.Timeout | undefined

  /** @param open of a session, until the signal says that nobody waits for it */
  constructor(attachment: Attachment, open: (signal: AbortSignal) => Promise<FarSession>, told: PassageEvents) {
    this.#attachment = attachment
    // Its other end is closed where the frontend, or its gate, has gone meanwhile.
    attachment.end.port.once('close', () => this.giveUp())
    this.over = this.#run(open, told)
  }

  get isOpen(): boolean {
    return this.#session !== undefined
  }

  begin(): void {
    this.#session?.begin()
  }

  /** The frontend is gone. */
  end(): void {
    this.giveUp()
    if (!this.#session) return
    this.#session.end()
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
    const bridged = bridge(this.#near, link)
    told.opened()
    const how = await bridged
    clearTimeout(this.#last)
    told.ended(how)
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
