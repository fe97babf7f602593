// One frontend's way to a core elsewhere: over one session after the other, each opened again and again while nobody answers.
import { setTimeout as delay } from 'node:timers/promises'
import type { MessagePort } from 'node:worker_threads'
import {
  BusError,
  type CodecName,
  getBackoff,
  isBusError,
  type Link,
  openLink,
  type SessionKey,
} from '@sallyport/protocol'
import type { Attachment } from '../contract/control.js'
import type { Logger } from '../host/reporting/log.js'
import { bridge } from '../network/bridge.js'

// How long to wait before a session is opened again: hardly at all after one that has lasted, and twice as long each time after
// others, so that whoever is refused, gives way to another, or ends what it has at once, costs core little.

const MIN_MS = 100
const MAX_MS = 5000
/** A session that was open for so long was a good one: longer than any delay, so that two of one label do not take turns. */
const LASTED_MS = 30_000

export class Backoff {
  readonly #now: () => number
  readonly #random: () => number
  #failures: number | undefined
  #openedAt: number | undefined

  /** Time and chance can be given: for tests. */
  constructor(now: () => number = () => performance.now(), random: () => number = Math.random) {
    this.#now = now
    this.#random = random
  }

  opened(): void {
    this.#openedAt = this.#now()
  }

  /** Milliseconds, of which chance takes up to a half: not all that have lost one core come to the next at once. None at first. */
  next(): number {
    const hasLasted = this.#openedAt !== undefined && this.#now() - this.#openedAt >= LASTED_MS
    this.#openedAt = undefined
    this.#failures = this.#failures === undefined ? 0 : hasLasted ? 1 : this.#failures + 1
    if (this.#failures === 0) return 0
    return getBackoff(this.#failures - 1, { min: MIN_MS, max: MAX_MS, random: this.#random() })
  }
}

// One link of a frontend on its way to a core elsewhere: a session is opened for it, and the two are joined. It ends with either.

/**
 * Milliseconds for the rest: for what a frontend has sent before it went, as a core that takes nothing would hold it for ever; and
 * for the word that it is gone, which comes a moment after its link has closed, and goes over its session.
 */
const LAST_WORDS_MS = 2000

export interface SessionBridgeEvents {
  /** Its frontend can have the link. */
  opened(): void
  /** For good. */
  refused(error: BusError): void
  /** The frontend's own end has closed. */
  closed(fault: BusError | undefined): void
  /** The session has ended before that. */
  lost(fault: BusError | undefined): void
}

export class SessionBridge {
  /** Resolves once nothing of it is left. */
  readonly over: Promise<void>
  readonly #attachment: Attachment
  readonly #given = new AbortController()
  #session: RemoteSession | undefined
  #near: Link | undefined
  #last: NodeJS.Timeout | undefined
  #hasClosed = false
  #isRetired = false
  #isOver = false

  /** @param open of a session, until the signal says that nobody waits for it */
  constructor(
    attachment: Attachment,
    open: (signal: AbortSignal) => Promise<RemoteSession>,
    told: SessionBridgeEvents,
  ) {
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

  async #run(open: (signal: AbortSignal) => Promise<RemoteSession>, told: SessionBridgeEvents): Promise<void> {
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

/** Milliseconds for one answer: a transport that never gives one is asked again. */
const ANSWER_MS = 10_000

export interface ReconnectingSessionDeps {
  far: SessionDialer
  log: Logger
  /** The link of this number can be handed out. */
  opened(id: number): void
  /** Core has refused it for good. */
  refused(id: number, error: BusError): void
  closed(id: number, fault: BusError | undefined): void
  lost(id: number, fault: BusError | undefined): void
}

export class ReconnectingSession {
  /** Why there was no session, the last time that one was asked for. */
  cause: BusError | undefined
  readonly #label: string
  readonly #host: ReconnectingSessionDeps
  readonly #backoff = new Backoff()
  /** The latest that is, or was, open. */
  #current: SessionBridge | undefined
  #opening: SessionBridge | undefined
  readonly #passages = new Set<SessionBridge>()

  constructor(label: string, host: ReconnectingSessionDeps) {
    this.#label = label
    this.#host = host
  }

  attach(attachment: Attachment): void {
    const { id, codec } = attachment
    const { opened, refused, closed, lost } = this.#host
    this.#opening?.giveUp()
    const passage = new SessionBridge(attachment, signal => this.#open(codec, signal), {
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
  async #open(codec: Attachment['codec'], signal: AbortSignal): Promise<RemoteSession> {
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
  #ask(codec: Attachment['codec'], signal: AbortSignal): Promise<RemoteSession> {
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

// Core, as a process without one reaches it: sessions are opened, and nothing is known of what carries them.

export interface SessionDialer {
  /**
   * Opens a session for the frontend of this label, or for the lane of this name. Whoever is let in has been proved by then.
   *
   * @param options.signal nobody waits for it any more
   * @throws BusError `Disconnected` where nobody answers: it is tried again, with growing delays. Any other is for good.
   */
  open(options: { label: string; codec: CodecName; signal: AbortSignal }): Promise<RemoteSession>
}

export interface RemoteSession {
  readonly link: Link
  /** In the isolation pattern the gate seals with it; it is wiped here once the gate has it. */
  readonly key: SessionKey
  /** The frontend's code begins. */
  begin(): void
  /** The frontend is gone, and not only this link of it. The link is closed besides. */
  end(): void
}
