// What is told of frontends as they come and go: Tauri's events, which only core may emit.
import { BusError } from '@sallyport/protocol'
import type { EventRouter } from './events.js'

const WINDOW_CREATED = 'tauri://window-created'
const WEBVIEW_CREATED = 'tauri://webview-created'
const DESTROYED = 'tauri://destroyed'

const OWN: ReadonlySet<unknown> = new Set([WINDOW_CREATED, WEBVIEW_CREATED, DESTROYED])

/** To everybody; the frontend itself does not listen yet. */
export function tellCreated(router: EventRouter, label: string): void {
  router.emit(WINDOW_CREATED, { label })
  router.emit(WEBVIEW_CREATED, { label })
}

/** To whoever listens to everything, or to this label, wherever that is. */
export function tellDestroyed(router: EventRouter, label: string): void {
  router.emit(DESTROYED, { label }, target => target.kind === 'Any' || ('label' in target && target.label === label))
}

/** @throws BusError `InvalidParams` for an event that a frontend could deceive the others with */
export function checkNotOwn(event: unknown): void {
  if (OWN.has(event))
    throw new BusError('InvalidParams', `${JSON.stringify(event)} is core’s own: no frontend emits it`)
}
