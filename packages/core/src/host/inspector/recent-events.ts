// The latest events of a bus since an inspector was opened.
import type { BusError } from '@sallyport/protocol/internal'
import { MAX_NAME_LENGTH } from '../../shared/suggest.js'
import type { BusReporter } from '../reporting/events.js'
import { LastMinute } from './last-minute.js'
import { getPlace, MAX_TEXT, toPrintable } from './printable.js'
import type { RecentEventLists, RecordedEvent } from './views.js'

const MAX_SHOWN = 100
/** Events that are kept to be counted if they occur again. */
const MAX_KEPT = 1000
/** Equal events with longer pauses between them are shown apart. */
const PAUSE_MS = 10_000
/** Labels whose next restart is known. */
const MAX_RESTARTS = 1000

/** Why a hook rejects a message, as its gate reports it. */
const REJECTIONS: ReadonlyMap<string, string> = new Map(
  Object.entries({
    null: 'the hook returned null',
    threw: 'the hook threw',
    timeout: 'the hook timed out',
    malformed: 'the hook did not return a message',
    overloaded: 'too many messages waited for the hook',
  }),
)

/** A thread that did not answer for some time. */
export interface Block {
  /** A frontend, or `core` if it is not known whose call blocked core. */
  label: string
  /** The command that blocked core. */
  what: string
  why: string
  /** Times in milliseconds since 1970. */
  since: number
  at: number
}

/** Keeps one entry with a counter for equal events that follow each other closely. */
class EventList {
  readonly #events = new Map<string, RecordedEvent>()

  add(event: Omit<RecordedEvent, 'at'>): void {
    const { kind, label, what, why } = event
    const key = JSON.stringify([kind, label, what, why])
    const [at, previous] = [Date.now(), this.#events.get(key)]
    const continues = previous !== undefined && event.since - previous.at <= PAUSE_MS
    this.#events.delete(key)
    if (previous && !continues) this.#events.set(`${key}${previous.at}`, previous)
    const { since, count } = continues ? previous : { since: event.since, count: 0 }
    this.#events.set(key, { ...event, since, at, count: event.count + count })
    if (this.#events.size > MAX_KEPT) this.#events.delete(this.#events.keys().next().value!)
  }

  /** @param label - leaves out the events of others */
  getLatest(label: string | undefined): RecordedEvent[] {
    return [...this.#events.values()]
      .filter(event => label === undefined || event.label === label)
      .toSorted((a, b) => a.at - b.at)
      .slice(-MAX_SHOWN)
      .toReversed()
  }
}

/** @internal */
export class RecentEvents {
  readonly lastMinute: LastMinute = new LastMinute()
  readonly #refusals = new EventList()
  readonly #troubles = new EventList()
  readonly #unsubscribes: (() => void)[]
  /** Times of the next restarts, by label. */
  readonly #restarts = new Map<string, number>()
  version = 1

  constructor(on: BusReporter['on']) {
    this.#unsubscribes = [
      on('denied', ({ label, command, hint, more }) => this.#addThrottled('denied', label, command, hint, more)),
      on('rejected', ({ label, command, why, more }) =>
        this.#addThrottled('rejected', label, command, REJECTIONS.get(why) ?? `the hook: ${why}`, more),
      ),
      on('slow', ({ label, command, more }) => this.#addThrottled('slow', label, command, 'is still running', more)),
      on('fault', ({ label, error }) => this.#addError('fault', label, '', error)),
      on('restart', ({ label, worker, error, delay }) => {
        if (this.#restarts.size >= MAX_RESTARTS) this.#restarts.clear()
        this.#restarts.set(label, Date.now() + delay)
        this.#addError('restart', label, worker, error)
      }),
      on('failed', ({ label, worker, error }) => this.#addError('failed', label, worker, error)),
      on('overload', ({ label, dropped }) =>
        this.#add('overload', label, '', 'events dropped: the frontend is too slow for them', dropped),
      ),
    ]
  }

  /** @param label - leaves out the events of others */
  getLists(label?: string): RecentEventLists {
    return { refusals: this.#refusals.getLatest(label), troubles: this.#troubles.getLatest(label) }
  }

  /** Returns in how many milliseconds a frontend restarts, if it waits for that. */
  getDelay(label: string): number | undefined {
    const at = this.#restarts.get(label)
    return at === undefined ? undefined : Math.max(0, at - Date.now())
  }

  addBlock({ label, what, why, since }: Block): void {
    this.#add('blocked', label, what, why, 1, since)
  }

  end(): void {
    this.#unsubscribes.splice(0).forEach(unsubscribe => unsubscribe())
  }

  #addThrottled(kind: 'denied' | 'rejected' | 'slow', label: string, command: string, why: string, more = 0): void {
    this.#add(kind, label, command, why)
    if (more > 0) this.#add(kind, label, '', 'further ones, not reported individually', more)
  }

  #addError(kind: 'fault' | 'restart' | 'failed', label: string, what: string, error: BusError): void {
    this.#add(kind, label, what, error.message, 1, Date.now(), getPlace(error))
  }

  #add(
    kind: RecordedEvent['kind'],
    label: string,
    what: string,
    why: string,
    count = 1,
    since = Date.now(),
    where = '',
  ): void {
    this.version += 1
    const list = kind === 'denied' || kind === 'rejected' ? this.#refusals : this.#troubles
    const toName = (text: string): string => toPrintable(text, MAX_NAME_LENGTH)
    const texts = { label: toName(label), what: toName(what), why: toPrintable(why, MAX_TEXT) }
    const event = { kind, ...texts, where: toPrintable(where, MAX_TEXT), count }
    list.add({ ...event, since })
    this.lastMinute.add(event)
  }
}
