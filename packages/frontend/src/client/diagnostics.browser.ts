// `#diagnostics` for browsers, which have no diagnostics channels: constants, so that the code for their subscribers is left out.
import type { Channel } from 'node:diagnostics_channel'
import type { CallChannel } from '@sallyport/protocol/internal'

export const invokes: CallChannel | null = null
export const exposedCalls: CallChannel | null = null
export const eventsSent: Channel | null = null
export const eventsReceived: Channel | null = null
