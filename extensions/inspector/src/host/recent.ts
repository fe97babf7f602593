// What has happened since the inspector was opened: the latest events, and the troubles of the last minute.
import type { InspectedBus } from '@sallyport/core/internal'
import type { BusError } from '@sallyport/protocol/internal/errors'
import { MAX_NAME_LENGTH } from '../contract/call-report.js'
import type { MinuteTotal, RecentEventLists, RecordedEvent } from '../contract/views.js'
import { describeError, dropOldest, MAX_TEXT, toPrintable } from './texts.js'

const MAX_EVENTS = 100
const MAX_KEPT = 1000
/** Equal events with longer pauses between them are shown apart. */
const PAUSE_MS = 10_000
const MAX_RESTARTS = 1000

const REJECTIONS: ReadonlyMap<string, string> = new Map(
  Object.entries({
    null: 'the hook returned null',
    threw: 'the hook threw',
    timeout: 'the hook timed out',
    malformed: 'the hook did not return a message',
    overloaded: 'too many messages waited for the hook',
  }),
)

/** Its label is `core` if it is not known whose call blocked core. */
export type Block = Pick<RecordedEvent, 'label' | 'what' | 'why' | 'since' | 'at'>

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
    dropOldest(this.#events, MAX_KEPT)
  }

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
      .slice(-MAX_EVENTS)
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

  addRefusals(label: string, count: number): void {
    this.#add('refused', label, '', 'maxInFlight', count)
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
    this.#add(kind, label, what, error, 1, Date.now(), where)
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

export interface Trouble extends Omit<RecordedEvent, 'kind' | 'since' | 'at'> {
  kind: RecordedEvent['kind'] | 'failures'
}

const TOTALS = new Map<string, MinuteTotal>([
  ['denied', 'denied'],
  ['refused', 'refused'],
  ['failures', 'failed'],
  ['rejected', 'rejected'],
  ['slow', 'slow'],
  ['overload', 'dropped'],
])

/** @param label - leaves out the troubles of others */
export function countTroubles(troubles: readonly Trouble[], label?: string): Record<MinuteTotal, number> {
  const totals = { denied: 0, refused: 0, failed: 0, rejected: 0, slow: 0, dropped: 0 }
  for (const trouble of troubles) {
    const total = TOTALS.get(trouble.kind)
    if (total && (label === undefined || trouble.label === label)) totals[total] += trouble.count
  }
  return totals
}

const SPAN_MS = 60_000
const STEP_MS = 1000

interface Kept {
  trouble: Trouble
  steps: [at: number, count: number][]
}

export class LastMinute {
  readonly #kept = new Map<string, Kept>()

  add(trouble: Trouble, now: number = Date.now()): void {
    // An error's message can differ each time.
    const key = JSON.stringify([trouble.kind, trouble.label, trouble.what])
    const steps = this.#kept.get(key)?.steps ?? []
    const last = steps.at(-1)
    if (last && now - last[0] < STEP_MS) last[1] += trouble.count
    else steps.push([now, trouble.count])
    this.#kept.delete(key)
    this.#kept.set(key, { trouble, steps })
    dropOldest(this.#kept, MAX_KEPT)
  }

  get(now: number = Date.now()): Trouble[] {
    const found: Trouble[] = []
    for (const [key, { trouble, steps }] of this.#kept) {
      while (steps.length > 0 && now - steps[0]![0] > SPAN_MS) steps.shift()
      if (steps.length === 0) this.#kept.delete(key)
      else found.push({ ...trouble, count: steps.reduce((sum, [, count]) => sum + count, 0) })
    }
    return found
  }
}
