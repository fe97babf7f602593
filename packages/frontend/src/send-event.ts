// Sends an event over a link, once it is known to be one.
import { checkEventName, type EventTarget } from '@sallyport/protocol'
import { payloadHoldsBytes } from './arguments.js'
import type { Connection } from './connection.js'
import type { Caller } from './make-call.js'
import { checkEmitOptions, type EmitOptions } from './options.js'
import { eventsSent } from './tracing.js'

export interface SentEvent {
  event: string
  payload: unknown
  target?: EventTarget
}

/** As `Connection.emit`. @throws BusError `InvalidParams` for a wrong name or option, or a payload that can’t be carried */
export function sendEvent(
  core: Connection,
  { label, codec }: Caller,
  method: string,
  params: SentEvent,
  options: EmitOptions | undefined,
): Promise<void> | undefined {
  const { event, payload } = params
  checkEventName(event)
  if (options !== undefined) checkEmitOptions(method, options, payload)
  const sent = core.emit(method, params, payloadHoldsBytes(event, payload), options?.transfer)
  if (eventsSent.hasSubscribers) eventsSent.publish({ label, event, codec })
  return sent
}
