// Events typed by a map of their payloads: `{ progress: { percent: number } }`.
import type { CodecName, EventTarget, Unlisten } from '@sallyport/protocol'
import type { Arriving } from './arriving.js'
import type { Client } from './client.js'
import type { EventHandler } from './events.js'
import type { EmitOptions, ListenOptions } from './options.js'

/** A payload that may be undefined may be left out. */
type Emitted<Payload> = undefined extends Payload
  ? [payload?: Payload, options?: EmitOptions]
  : [payload: Payload, options?: EmitOptions]

/** The event functions of a client for which the map names every event. */
export interface TypedEvents<Events, Codec extends CodecName = 'json'> {
  emit<Name extends keyof Events & string>(event: Name, ...payload: Emitted<Events[Name]>): Promise<void>
  emitTo<Name extends keyof Events & string>(
    target: string | EventTarget,
    event: Name,
    ...payload: Emitted<Events[Name]>
  ): Promise<void>
  listen<Name extends keyof Events & string>(
    event: Name,
    handler: EventHandler<Arriving<Events[Name], Codec>>,
    options?: ListenOptions,
  ): Promise<Unlisten>
  once<Name extends keyof Events & string>(
    event: Name,
    handler: EventHandler<Arriving<Events[Name], Codec>>,
    options?: ListenOptions,
  ): Promise<Unlisten>
}

/** Without a map: any event, with the payload that the caller says. */
export type UntypedEvents = Pick<Client, 'emit' | 'emitTo' | 'listen' | 'once'>
