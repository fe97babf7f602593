// What is told of frontends as they come and go, in Tauri's events, and to one that was too slow: events that only core may
// emit. They stay here: other cores of a network have sessions of their own, and tell of those.
import { BusError } from '@sallyport/protocol'
import type { Subscriber } from './delivery.js'
import type { EventRouter } from './router.js'

const WINDOW_CREATED = 'tauri://window-created'
const WEBVIEW_CREATED = 'tauri://webview-created'
const DESTROYED = 'tauri://destroyed'

const DROPPED = 'sallyport://dropped'

const OWN: ReadonlySet<unknown> = new Set([WINDOW_CREATED, WEBVIEW_CREATED, DESTROYED, DROPPED])

/** To everybody; the frontend itself does not listen yet. */
export function tellCreated(router: EventRouter, label: string): void {
  router.deliver(undefined, WINDOW_CREATED, { label })
  router.deliver(undefined, WEBVIEW_CREATED, { label })
}

/** To whoever listens to everything, or to this label, wherever that is. */
export function tellDestroyed(router: EventRouter, label: string): void {
  router.emitWhere(
    DESTROYED,
    { label },
    target => target.kind === 'Any' || ('label' in target && target.label === label),
  )
}

/** To this frontend alone: so many events did not wait for it. */
export function tellDropped(router: EventRouter, frontend: Subscriber, count: number): void {
  router.emitWhere(DROPPED, { count }, (_target, home) => home === frontend, frontend.label)
}

/** @throws BusError `InvalidParams` for an event that a frontend could deceive the others with */
export function checkNotOwn(event: unknown): void {
  if (OWN.has(event))
    throw new BusError('InvalidParams', `${JSON.stringify(event)} is core’s own: no frontend emits it`)
}
