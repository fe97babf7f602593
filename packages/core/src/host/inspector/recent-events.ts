// What has happened on a bus since an inspector was opened: the latest of each kind, however many there were.
import type { BusEvents } from '../reporting/events.js'
import type { BusView } from './view.js'

// Text of frontends, made fit to be read: bounded, and with nothing in it that hides or turns around what stands beside it.

/** Controls, what changes the direction of text, and what has no width. A tag of HTML is text like any other. */
const UNSEEN = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}\p{Co}\p{Cn}]/gu
/** Of a letter more would climb over the lines above it. */
const HEAPED = /(\p{M}{3})\p{M}+/gu

/** @param most characters; what is longer ends with `…` */
export function printable(text: string, most: number): string {
  const whole = text.slice(0, most)
  const seen = whole.replace(HEAPED, '$1…').replace(UNSEEN, escaped)
  return text.length > most ? `${seen}…` : seen
}

const escaped = (char: string): string => `\\u{${char.codePointAt(0)!.toString(16)}}`

const MAX_SHOWN = 100
/** Others still count, if they come again. */
const MAX_KEPT = 1000
const MAX_TEXT = 300
const MAX_NAME = 200

export interface RecordedEvent {
  kind: keyof BusEvents
  /** A frontend's, `core` or `host`. */
  label: string
  /** A command, or an actor. */
  what: string
  why: string
  /** Milliseconds since 1970, of the latest. */
  at: number
  /** How many were just like it. */
  count: number
}

export interface News {
  /** Denials and rejections, the latest first. */
  refusals: readonly RecordedEvent[]
  /** Faults, restarts, and what was slow or too much. */
  troubles: readonly RecordedEvent[]
}

/** The same again counts, and takes no place. */
class Latest {
  readonly #known = new Map<string, RecordedEvent>()

  add(happening: Omit<RecordedEvent, 'at' | 'count'>, count: number): void {
    const { kind, label, what, why } = happening
    const key = JSON.stringify([kind, label, what, why])
    const before = this.#known.get(key)
    this.#known.delete(key)
    this.#known.set(key, { ...happening, at: Date.now(), count: count + (before?.count ?? 0) })
    if (this.#known.size > MAX_KEPT) this.#known.delete(this.#known.keys().next().value!)
  }

  get list(): RecordedEvent[] {
    return [...this.#known.values()].slice(-MAX_SHOWN).toReversed()
  }
}

export class RecentEvents {
  readonly #refusals = new Latest()
  readonly #troubles = new Latest()
  readonly #offs: (() => void)[]
  /** Changes with each. */
  version = 1

  constructor(on: BusView['on']) {
    this.#offs = [
      on('denied', ({ label, command, more }) => this.#refused('denied', label, command, '', more)),
      on('rejected', ({ label, command, why, more }) => this.#refused('rejected', label, command, why, more)),
      on('fault', ({ label, error }) => this.#add(this.#troubles, 'fault', label, '', error.message)),
      on('restart', ({ label, actor, error }) => this.#add(this.#troubles, 'restart', label, actor, error.message)),
      on('failed', ({ label, actor, error }) => this.#add(this.#troubles, 'failed', label, actor, error.message)),
      on('slow', ({ label, command, more }) => {
        this.#add(this.#troubles, 'slow', label, command, 'runs for long')
        if (more) this.#add(this.#troubles, 'slow', label, '', 'others, not told one by one', more)
      }),
      on('overload', ({ label, dropped }) =>
        this.#add(this.#troubles, 'overload', label, '', 'events dropped: it is too slow for them', dropped),
      ),
    ]
  }

  get news(): News {
    return { refusals: this.#refusals.list, troubles: this.#troubles.list }
  }

  end(): void {
    this.#offs.splice(0).forEach(off => off())
  }

  #refused(kind: 'denied' | 'rejected', label: string, command: string, why: string, more = 0): void {
    this.#add(this.#refusals, kind, label, command, why)
    if (more) this.#add(this.#refusals, kind, label, '', 'others, not told one by one', more)
  }

  #add(latest: Latest, kind: keyof BusEvents, label: string, what: string, why: string, count = 1): void {
    this.version += 1
    const seen = { label: printable(label, MAX_NAME), what: printable(what, MAX_NAME), why: printable(why, MAX_TEXT) }
    latest.add({ kind, ...seen }, count)
  }
}
