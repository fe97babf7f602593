// The features that web pages lack, whose script has to stay small: channels of node:diagnostics_channel for a client's calls
// and events (each an `EventTrace`) and for calls of its exposed functions, batches of events, and long texts.
// `#node-features` is this file, or `node-features.browser.ts` for browsers.
import { channel, type Channel, tracingChannel } from 'node:diagnostics_channel'
import { toCausedErrorObject as toCaused } from '@sallyport/protocol/internal/errors'
import { type CallChannel, EventBatch } from '@sallyport/protocol/internal/rpc'

export const invokes: CallChannel | null = tracingChannel('sallyport.invoke')
/** Calls that core and the host make of this frontend's functions. */
export const exposedCalls: CallChannel | null = tracingChannel('sallyport.exposed')

export const eventsSent: Channel | null = channel('sallyport:client.event:sent')
export const eventsReceived: Channel | null = channel('sallyport:client.event:received')

/** Consecutive events of this thread's clients share a message. */
export const eventBatch: typeof EventBatch | null = EventBatch

/** Adds to an error object what an exposed function threw, and where. */
export const toCausedErrorObject: typeof toCaused | null = toCaused

/** Says in an error how code gets a client. A page has a shorter text. */
export const HOW_TO_GET_A_CLIENT: string | null =
  'This thread is not a frontend: @sallyport/frontend works in a module that createBus({ frontends }) or bus.open started. ' +
  'In the host, call `await bus.connect(label)` and use the client that it returns. ' +
  'In a web page, call `await connect()` of @sallyport/web/client first'
/** Counts of refused calls, and more, are for hosts and frontends in Node.js. */
export const IS_NODE_CLIENT: true | null = true

/** Says in an error why a module exposes nothing. A page has no module of its own. */
export const EXPOSE_REMEDIES: Readonly<Record<'exports' | 'none', string>> | null = {
  exports: '. The exports of its module are ignored: call `expose({ … })` of @sallyport/frontend instead',
  none: '. Call `expose({ … })` of @sallyport/frontend in its module',
}
