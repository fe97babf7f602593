// Events that only core emits: that a frontend started or ended, as Tauri's window events, and that a frontend was too slow.
// They stay in this core, because each core of a network emits those of its own sessions.
import { BusError } from '@sallyport/protocol/internal/errors'
import type { Logger } from 'pino'
import type { Accepts, Subscriber } from './delivery.js'
import type { EventRouter } from './router.js'

const WINDOW_CREATED = 'tauri://window-created'
const WEBVIEW_CREATED = 'tauri://webview-created'
const DESTROYED = 'tauri://destroyed'
const DROPPED = 'sallyport://dropped'

const RESERVED_EVENTS: ReadonlySet<unknown> = new Set([WINDOW_CREATED, WEBVIEW_CREATED, DESTROYED, DROPPED])

/** Names that the warning about events without listeners remembers. A hostile frontend could emit any number. */
const MAX_WARNINGS = 100

/** Warns, once for each name, that the application emits an event that nobody listens to. */
export function warnAboutUnheard(router: EventRouter, getLog: () => Logger): void {
  const names = new Set<string>()
  router.onUnheard(event => {
    if (RESERVED_EVENTS.has(event) || names.has(event) || names.size >= MAX_WARNINGS) return
    names.add(event)
    getLog().warn({ event }, 'event lost: nobody listens to it yet. Listen before it is emitted')
  })
}

/** Emits to all listeners that a frontend started. The frontend itself does not listen yet. */
export function emitCreated(router: EventRouter, label: string): void {
  router.deliver(undefined, WINDOW_CREATED, { label })
  router.deliver(undefined, WEBVIEW_CREATED, { label })
}

/** Emits that a frontend ended, to listeners of everything and of this label. */
export function emitDestroyed(router: EventRouter, label: string): void {
  const accepts: Accepts = target => target.kind === 'Any' || ('label' in target && target.label === label)
  router.deliverWhere(DESTROYED, { label }, accepts)
}

export function emitDropped(router: EventRouter, frontend: Subscriber, count: number): void {
  router.deliverWhere(DROPPED, { count }, (_target, subscriber) => subscriber === frontend, frontend.label)
}

/** @throws {BusError} `InvalidParams` for an event that could deceive other frontends */
export function checkNotReserved(event: unknown): void {
  if (!RESERVED_EVENTS.has(event)) return
  throw new BusError('InvalidParams', `The event ${JSON.stringify(event)} is reserved for core`)
}
