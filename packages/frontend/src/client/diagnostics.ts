// Channels of node:diagnostics_channel for a client's calls and events (each an `EventTrace`), and for calls of its exposed functions.
import { channel, type Channel, tracingChannel } from 'node:diagnostics_channel'
import type { CallChannel } from '@sallyport/protocol/internal'

export const invokes: CallChannel = tracingChannel('sallyport.invoke')
/** Calls that core and the host make of this frontend's functions. */
export const exposedCalls: CallChannel = tracingChannel('sallyport.exposed')

export const eventsSent: Channel = channel('sallyport:client.event:sent')
export const eventsReceived: Channel = channel('sallyport:client.event:received')
