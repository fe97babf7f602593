// The latest events of a bus since an inspector was opened.
import type { BusError } from '@sallyport/protocol/internal/errors'
import { MAX_NAME_LENGTH } from '../contract/call-report.js'
import type { InspectedBus } from '../contract/inspected-bus.js'
import type { RecentEventLists, RecordedEvent } from '../contract/views.js'
import { LastMinute } from './last-minute.js'
import { describeError, getStack } from './places.js'
import { MAX_TEXT, toPrintable } from './printable.js'

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
    const key = getKey(event)
    const [at, previous] = [Date.now(), this.#events.get(key)]
    const continues = previous !== undefined && event.since - previous.at <= PAUSE_MS
    this.#events.delete(key)
    if (previous && !continues) this.#events.set(`${key}${previous.at}`, previous)
    const { since, count } = continues ? previous : { since: event.since, count: 0 }
    this.#events.set(key, { ...event, since, at, count: event.count + count })
    if (this.#events.size > MAX_KEPT) this.#events.delete(this.#events.keys().next().value!)
  }

  /** Takes back one of the latest equal events. */
  remove(event: Pick<RecordedEvent, 'kind' | 'label' | 'what' | 'why'>): void {
    const key = getKey(event)
    const found = this.#events.get(key)
    if (found && found.count > 1) this.#events.set(key, { ...found, count: found.count - 1 })
    else this.#events.delete(key)
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

const getKey = ({ kind, label, what, why }: Pick<RecordedEvent, 'kind' | 'label' | 'what' | 'why'>): string =>
  JSON.stringify([kind, label, what, why])

/** @internal */
export class RecentEvents {
  readonly lastMinute: LastMinute = new LastMinute()
  readonly #refusals = new EventList()
  readonly #troubles = new EventList()
  readonly #unsubscribes: (() => void)[]
  /** Times of the next restarts, by label. */
  readonly #restarts = new Map<string, number>()
  version = 1

  constructor(on: InspectedBus['on']) {
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

  /** Adds messages that a frontend's own client has refused with `Overloaded`. */
  addRefusals(label: string, why: string, count: number): void {
    this.#add('refused', label, '', why, count)
  }

  /** The event `overload` comes only when the frontend has caught up. */
  addDropped(label: string, count: number): void {
    this.#add('overload', label, '', 'events dropped: the frontend is too slow for them', count)
  }

  end(): void {
    this.#unsubscribes.splice(0).forEach(unsubscribe => unsubscribe())
  }

  #addThrottled(kind: 'denied' | 'rejected' | 'slow', label: string, command: string, why: string, more = 0): void {
    this.#add(kind, label, command, why)
    if (more > 0) this.#add(kind, label, '', 'further ones, not reported individually', more)
  }

  /** The fault that ended a worker is reported before its restart or end, which has the same error. */
  #addError(kind: 'fault' | 'restart' | 'failed', label: string, what: string, thrown: BusError): void {
    const { error, where } = describeError(thrown)
    if (kind !== 'fault') {
      this.#troubles.remove({ kind: 'fault', label: toPrintable(label, MAX_NAME_LENGTH), what: '', why: error })
    }
    this.#add(kind, label, what, error, 1, Date.now(), where, getStack(thrown))
  }

  #add(
    kind: RecordedEvent['kind'],
    label: string,
    what: string,
    why: string,
    count = 1,
    since = Date.now(),
    where = '',
    stack = '',
  ): void {
    this.version += 1
    const list = kind === 'denied' || kind === 'rejected' ? this.#refusals : this.#troubles
    const toName = (text: string): string => toPrintable(text, MAX_NAME_LENGTH)
    const texts = { label: toName(label), what: toName(what), why: toPrintable(why, MAX_TEXT) }
    const event = { kind, ...texts, where: toPrintable(where, MAX_TEXT), count }
    list.add({ ...event, since })
    this.lastMinute.add({ ...event, ...(stack && { stack }) })
  }
}
