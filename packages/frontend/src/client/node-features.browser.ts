// `#node-features` for browsers, and for scripts in a VM of QuickJS: constants, so that the code that uses them is left out.
import type { Channel } from 'node:diagnostics_channel'
import type { CallChannel, EventBatch } from '@sallyport/protocol/internal/rpc'

export const invokes: CallChannel | null = null
export const exposedCalls: CallChannel | null = null
export const eventsSent: Channel | null = null
export const eventsReceived: Channel | null = null
export const eventBatch: typeof EventBatch | null = null
