// One frontend's way to a core elsewhere: over one session after the other, each opened again and again while nobody answers.
import { BusError, isBusError } from '@sallyport/protocol'
import { setTimeout as delay } from 'node:timers/promises'
import type { Attachment } from '../../control.js'
import type { Logger } from '../log.js'
import { Backoff } from './backoff.js'
import type { FarCore, FarSession } from './far-core.js'
import { Passage } from './passage.js'

/** Milliseconds for one answer: a transport that never gives one is asked again. */
const ANSWER_MS = 10_000

export interface WayHost {
  far: FarCore
  log: Logger
  /** The link of this number can be handed out. */
  opened(id: number): void
  /** Core has refused it for good. */
  refused(id: number, error: BusError): void
  closed(id: number, fault: BusError | undefined): void
  lost(id: number, fault: BusError | undefined): void
}

export class Way {
  /** Why there was no session, the last time that one was asked for. */
  cause: BusError | undefined
  readonly #label: string
  readonly #host: WayHost
  readonly #backoff = new Backoff()
  /** The latest that is, or was, open. */
  #current: Passage | undefined
  #opening: Passage | undefined
  readonly #passages = new Set<Passage>()

  constructor(label: string, host: WayHost) {
    this.#label = label
    this.#host = host
  }

  attach(attachment: Attachment): void {
    const { id, codec } = attachment
    const { opened, refused, closed, lost } = this.#host
    this.#opening?.giveUp()
    const passage = new Passage(attachment, signal => this.#open(codec, signal), {
      opened: () => {
        this.#current?.retire()
        this.#current = passage
        this.#opening = undefined
        this.#backoff.opened()
        opened(id)
      },
      refused: error => refused(id, error),
      closed: fault => closed(id, fault),
      lost: fault => lost(id, fault),
    })
    this.#opening = passage
    this.#passages.add(passage)
    void passage.over.then(() => this.#passages.delete(passage))
  }

  begin(): void {
    this.#current?.begin()
  }

  /** The frontend is gone. */
  end(): void {
    this.#opening?.giveUp()
    this.#current?.end()
  }

  /** Nothing that is sent is waited for. */
  close(): void {
    for (const passage of this.#passages) passage.close()
  }

  /** Resolves once nothing of it is left. */
  async over(): Promise<void> {
    await Promise.all([...this.#passages].map(passage => passage.over))
  }

  /** @throws BusError as `FarCore.open`, other than `Disconnected` unless the signal has said that nobody waits */
  async #open(codec: Attachment['codec'], signal: AbortSignal): Promise<FarSession> {
    for (;;) {
      try {
        await delay(this.#backoff.next(), undefined, { signal })
        return await this.#ask(codec, signal)
      } catch (error) {
        if (signal.aborted || !isBusError(error, 'Disconnected')) throw error
        this.cause = error
        this.#host.log.debug({ label: this.#label, err: error }, 'core does not answer: it is asked again')
      }
    }
  }

  /** A session that comes when nobody waits for it any more is closed. */
  #ask(codec: Attachment['codec'], signal: AbortSignal): Promise<FarSession> {
    const asking = new AbortController()
    return new Promise((resolve, reject) => {
      const giveUp = (): void => {
        settled()
        asking.abort()
        reject(new BusError('Disconnected', `core has not answered for ${ANSWER_MS} ms`, { data: { delivered: 'no' } }))
      }
      const timer = setTimeout(giveUp, ANSWER_MS)
      signal.addEventListener('abort', giveUp, { once: true })
      const settled = (): void => {
        clearTimeout(timer)
        signal.removeEventListener('abort', giveUp)
      }
      this.#host.far.open({ label: this.#label, codec, signal: asking.signal }).then(
        session => {
          settled()
          if (asking.signal.aborted) session.link.close()
          else resolve(session)
        },
        (error: unknown) => {
          settled()
          reject(error as Error)
        },
      )
    })
  }
}
