// `#node-features` for browsers: constants, so that the code that uses them is left out.
import type { Channel } from 'node:diagnostics_channel'
import type { CallChannel, EventBatch, SentStreams } from '@sallyport/protocol/internal'

export const invokes: CallChannel | null = null
export const exposedCalls: CallChannel | null = null
export const eventsSent: Channel | null = null
export const eventsReceived: Channel | null = null
export const sentStreams: SentStreams | null = null
export const eventBatch: typeof EventBatch | null = null
export const HOW_TO_GET_A_CLIENT: string | null = null
