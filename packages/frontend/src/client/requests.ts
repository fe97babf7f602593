// Makes a call over a link: its arguments are made ready, and the channels among them are its own from then on.
import {
  type BusError,
  type CallOptions,
  checkEventName,
  checkOptionNames,
  checkTimeout,
  type CodecName,
  describeName,
  type EventTarget,
  METHOD,
  traceCaller,
  watchDeadline,
} from '@sallyport/protocol'
import { channelsAmong, checkCommandName, payloadHoldsBytes, prepareArguments } from './arguments.js'
import { type Channel, finish } from './channel.js'
import type { Connection, TracedCall } from './connection.js'
import { eventsSent, invokes } from './diagnostics.js'
import type { Listeners, Subscription } from './listeners.js'
import { checkEmitOptions, type EmitOptions, type InvokeOptions, OPTIONS_OF } from './options.js'

/** Whose call it is. */
export interface Caller {
  readonly label: string
  readonly codec: CodecName
}

/**
 * Gives its id.
 *
 * @param stream where the values of a stream are to come
 */
export function call(
  core: Connection,
  { label, codec }: Caller,
  command: string,
  args: unknown,
  resolve: (result: unknown) => void,
  reject: (error: BusError) => void,
  options: InvokeOptions | undefined,
  stream: Channel | undefined,
): number {
  checkCommandName(command)
  if (!invokes.hasSubscribers) return prepareCall(core, command, args, resolve, reject, options, stream)
  const id = core.pending.takeId()
  const trace = { label, command, id, codec, stream: stream !== undefined }
  return traceCaller(invokes, trace, resolve, reject, (...settle) =>
    prepareCall(core, command, args, ...settle, options, stream, trace),
  )
}

/** @param traced the id that it is to have, and its trace context */
function prepareCall(
  core: Connection,
  command: string,
  args: unknown,
  resolve: (result: unknown) => void,
  reject: (error: BusError) => void,
  options: InvokeOptions | undefined,
  stream: Channel | undefined,
  traced?: TracedCall,
): number {
  try {
    if (options !== undefined) checkOptionNames(command, options, OPTIONS_OF.call)
    const { params, hasBytes, channels } = prepareArguments(command, args)
    if (channels.length === 0) return core.request(command, params, hasBytes, resolve, reject, options, stream, traced)
    const mine = core.channels.unused(channels)
    const failed = (error: BusError): void => {
      finish(mine)
      reject(error)
    }
    const id = core.request(command, params, hasBytes, resolve, failed, options, stream, traced)
    for (const channel of mine) core.channels.adopt(channel, id)
    return id
  } catch (error) {
    finish(core.channels.unused(channelsAmong(args)))
    throw error
  }
}

// Makes listeners known over a link that has taken the place of another, in the order in which they came.

/** Resolves once core has answered for each. */
export async function listenAgain(core: Connection, listeners: Listeners): Promise<void> {
  const again = (id: number, { event, target, headers }: Subscription): Promise<void> =>
    new Promise(resolve => {
      const known = (coreId: unknown): void => {
        if (!listeners.known(id, coreId as number)) unlisten(core, event, coreId as number)
        resolve()
      }
      const refused = (error: BusError): void => {
        // Without a link it waits for the next one. Of one that is lost its owner would not hear.
        if (error.reason !== 'Disconnected' && listeners.has(id)) {
          listeners.remove(id)
          process.emitWarning(`The listener of ${describeName(event)} is lost: ${error.message}`)
        }
        resolve()
      }
      core.keep(METHOD.listen, { event, target }, known, refused, headers)
    })
  await Promise.all(listeners.all().map(({ id, ...listening }) => again(id, listening)))
}

export function unlisten(core: Connection, event: string, eventId: number): void {
  if (core.isGone) return
  const done = (): void => {}
  core.keep(METHOD.unlisten, { event, eventId }, done, done)
}

// Makes a listener known to core. Whoever gives that up, by a signal or a deadline, must not leave one there that nobody knows
// of: the request runs on, and what it gives is taken away again.

/** @throws BusError, as `listen` does */
export function listen(
  core: Connection,
  listeners: Listeners,
  listening: Subscription,
  options: CallOptions,
): Promise<number> {
  checkTimeout(METHOD.listen, options)
  return new Promise((resolve, reject) => {
    const { event, target, headers } = listening
    let isOver = false
    let release: (() => void) | undefined
    const giveUp = (error: Error): void => {
      isOver = true
      release?.()
      reject(error)
    }
    // The handler is in place before the next message is read: events may follow in the same frame.
    const known = (coreId: unknown): void => {
      if (isOver) return unlisten(core, event, coreId as number)
      release?.()
      resolve(listeners.add(coreId as number, listening))
    }
    core.request(METHOD.listen, { event, target }, false, known, giveUp, headers && { headers })
    release = watchDeadline(METHOD.listen, options.signal, options.timeout, giveUp)
  })
}

// Sends an event over a link, once it is known to be one.

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
