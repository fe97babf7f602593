// Channels of node:diagnostics_channel for a client's calls and events (each an `EventTrace`), and for calls of its exposed functions.
// `#diagnostics` is this file, or `diagnostics.browser.ts` for browsers, which have no such channels.
import { channel, type Channel, tracingChannel } from 'node:diagnostics_channel'
import type { CallChannel } from '@sallyport/protocol/internal'

export const invokes: CallChannel | null = tracingChannel('sallyport.invoke')
/** Calls that core and the host make of this frontend's functions. */
export const exposedCalls: CallChannel | null = tracingChannel('sallyport.exposed')

export const eventsSent: Channel | null = channel('sallyport:client.event:sent')
export const eventsReceived: Channel | null = channel('sallyport:client.event:received')
