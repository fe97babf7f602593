// The features that web pages lack, whose script has to stay small: channels of node:diagnostics_channel for a client's calls
// and events (each an `EventTrace`) and for calls of its exposed functions, streams as arguments, batches of events, and a long text.
// `#node-features` is this file, or `node-features.browser.ts` for browsers.
import { channel, type Channel, tracingChannel } from 'node:diagnostics_channel'
import { type CallChannel, EventBatch, SentStreams } from '@sallyport/protocol/internal'

export const invokes: CallChannel | null = tracingChannel('sallyport.invoke')
/** Calls that core and the host make of this frontend's functions. */
export const exposedCalls: CallChannel | null = tracingChannel('sallyport.exposed')

export const eventsSent: Channel | null = channel('sallyport:client.event:sent')
export const eventsReceived: Channel | null = channel('sallyport:client.event:received')

/** The streams among the arguments of this thread's calls. */
export const sentStreams: SentStreams | null = new SentStreams()

/** Consecutive events of this thread's clients share a message. */
export const eventBatch: typeof EventBatch | null = EventBatch

/** Says in an error how code gets a client. A page has a shorter text. */
export const HOW_TO_GET_A_CLIENT: string | null =
  'This thread is not a frontend: @sallyport/frontend works in a module that createBus({ frontends }) or bus.open started. ' +
  'In the host, call `await bus.connect(label)` and use the client that it returns. ' +
  'In a web page, call `await connect()` of @sallyport/web/client first'
