// What node:diagnostics_channel tells, in this thread, of a client's calls, its events, and the calls of what it exposes.
import { channel, type Channel, tracingChannel } from 'node:diagnostics_channel'
import type { CallChannel } from '@sallyport/protocol'

export const invokes: CallChannel = tracingChannel('sallyport.invoke')
/** Calls that core and the host make of this frontend's functions. */
export const exposedCalls: CallChannel = tracingChannel('sallyport.exposed')

/** Of `EventTrace`. */
export const eventsSent: Channel = channel('sallyport:client.event:sent')
export const eventsReceived: Channel = channel('sallyport:client.event:received')
