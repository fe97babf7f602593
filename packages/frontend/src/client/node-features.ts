// The features that pages and scripts lack, whose code has to stay small: channels of node:diagnostics_channel for a client's calls
// and events (each an `EventTrace`) and for calls of its exposed functions, and batches of events.
// `#node-features` is this file, or `node-features.browser.ts`.
import { channel, type Channel, tracingChannel } from 'node:diagnostics_channel'
import { type CallChannel, EventBatch } from '@sallyport/protocol/internal/rpc'

export const invokes: CallChannel | null = tracingChannel('sallyport.invoke')
/** Calls that core and the host make of this frontend's functions. */
export const exposedCalls: CallChannel | null = tracingChannel('sallyport.exposed')

export const eventsSent: Channel | null = channel('sallyport:client.event:sent')
export const eventsReceived: Channel | null = channel('sallyport:client.event:received')

/** Consecutive events of this thread's clients share a message. */
export const eventBatch: typeof EventBatch | null = EventBatch
