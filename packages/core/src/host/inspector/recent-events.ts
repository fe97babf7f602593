// The latest events of a bus since an inspector was opened, and how text of frontends is made fit to be shown.
import { relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type BusError, getUserStack } from '@sallyport/protocol/internal'
import { MAX_NAME_LENGTH } from '../../shared/suggest.js'
import type { BusEvents, BusReporter } from '../reporting/events.js'

const MAX_SHOWN = 100
/** Events that are kept to be counted if they occur again. */
const MAX_KEPT = 1000
const MAX_TEXT = 300
/** Equal events with longer pauses between them are shown apart. */
const PAUSE_MS = 10_000
/** `file:///app/main.mjs:4:53`, or a path. */
const PLACE = /^(?:\[cause\]: | {4}at (?:.*\()?)?((?:file:\/\/|\/|[A-Za-z]:\\)[^()\n]*?)((?::\d+){1,2})\)?$/m

/** Control characters, characters that change the direction of text, and those without a width. */
const INVISIBLE = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}\p{Co}\p{Cn}]/gu
/** More combining marks than these would climb over the lines above. */
const STACKED_MARKS = /(\p{M}{3})\p{M}+/gu

/** Returns a text of bounded length in which nothing hides or reorders the text around it. HTML needs no escape: the page inserts text. */
export function toPrintable(text: string, max: number): string {
  const printable = text.slice(0, max).replace(STACKED_MARKS, '$1…').replace(INVISIBLE, escape)
  return text.length > max ? `${printable}…` : printable
}

const escape = (char: string): string => `\\u{${char.codePointAt(0)!.toString(16)}}`

export interface RecordedEvent {
  kind: keyof BusEvents
  /** A frontend's label, `core` or `host`. */
  label: string
  /** A command, or the kind of a worker. */
  what: string
  /** The error's message, or how to change the capabilities. */
  why: string
  /** File and line, relative to the working directory, if the error's stack has them. */
  where: string
  /** Times of the first and the latest one, in milliseconds since 1970. */
  since: number
  at: number
  count: number
}

/** The latest events first. */
export interface RecentEventLists {
  /** Denials and rejections. */
  refusals: readonly RecordedEvent[]
  /** Faults, restarts, slow calls and dropped events. */
  troubles: readonly RecordedEvent[]
}

/** Keeps one entry with a counter for equal events that follow each other closely. */
class EventList {
  readonly #events = new Map<string, RecordedEvent>()

  add(event: Omit<RecordedEvent, 'since' | 'at'>): void {
    const { kind, label, what, why } = event
    const key = JSON.stringify([kind, label, what, why])
    const [at, previous] = [Date.now(), this.#events.get(key)]
    const continues = previous !== undefined && at - previous.at <= PAUSE_MS
    this.#events.delete(key)
    if (previous && !continues) this.#events.set(`${key}${previous.at}`, previous)
    const { since, count } = continues ? previous : { since: at, count: 0 }
    this.#events.set(key, { ...event, since, at, count: event.count + count })
    if (this.#events.size > MAX_KEPT) this.#events.delete(this.#events.keys().next().value!)
  }

  get latest(): RecordedEvent[] {
    return [...this.#events.values()]
      .toSorted((a, b) => a.at - b.at)
      .slice(-MAX_SHOWN)
      .toReversed()
  }
}

/** Returns the first file in the stack that is not this library's: `src/main.mjs:4:53`. */
function getPlace(error: BusError): string {
  const [, file = '', line = ''] = PLACE.exec(getUserStack(error)) ?? []
  if (file === '') return ''
  const path = file.startsWith('file:') && URL.canParse(file) ? fileURLToPath(file) : file
  const short = relative(process.cwd(), path)
  return `${short.startsWith('..') ? path : short}${line}`
}

/** @internal */
export class RecentEvents {
  readonly #refusals = new EventList()
  readonly #troubles = new EventList()
  readonly #unsubscribes: (() => void)[]
  version = 1

  constructor(on: BusReporter['on']) {
    this.#unsubscribes = [
      on('denied', ({ label, command, hint, more }) => this.#addThrottled('denied', label, command, hint, more)),
      on('rejected', ({ label, command, why, more }) => this.#addThrottled('rejected', label, command, why, more)),
      on('slow', ({ label, command, more }) => this.#addThrottled('slow', label, command, 'is still running', more)),
      on('fault', ({ label, error }) => this.#add('fault', label, '', error)),
      on('restart', ({ label, worker, error }) => this.#add('restart', label, worker, error)),
      on('failed', ({ label, worker, error }) => this.#add('failed', label, worker, error)),
      on('overload', ({ label, dropped }) =>
        this.#add('overload', label, '', 'events dropped: the frontend is too slow for them', dropped),
      ),
    ]
  }

  get lists(): RecentEventLists {
    return { refusals: this.#refusals.latest, troubles: this.#troubles.latest }
  }

  end(): void {
    this.#unsubscribes.splice(0).forEach(unsubscribe => unsubscribe())
  }

  #addThrottled(kind: keyof BusEvents, label: string, command: string, why: string, more = 0): void {
    this.#add(kind, label, command, why)
    if (more > 0) this.#add(kind, label, '', 'further ones, not reported individually', more)
  }

  #add(kind: keyof BusEvents, label: string, what: string, why: string | BusError, count = 1): void {
    this.version += 1
    const list = kind === 'denied' || kind === 'rejected' ? this.#refusals : this.#troubles
    const toName = (text: string): string => toPrintable(text, MAX_NAME_LENGTH)
    const [text, where] = typeof why === 'string' ? [why, ''] : [why.message, getPlace(why)]
    const names = { label: toName(label), what: toName(what) }
    list.add({ kind, ...names, why: toPrintable(text, MAX_TEXT), where: toPrintable(where, MAX_TEXT), count })
  }
}
