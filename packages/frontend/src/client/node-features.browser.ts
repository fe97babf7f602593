// `#node-features` for browsers: constants, so that the code that uses them is left out.
import type { Channel } from 'node:diagnostics_channel'
import type { CallChannel, EventBatch } from '@sallyport/protocol/internal/rpc'

export const invokes: CallChannel | null = null
export const exposedCalls: CallChannel | null = null
export const eventsSent: Channel | null = null
export const eventsReceived: Channel | null = null
export const eventBatch: typeof EventBatch | null = null
export const HOW_TO_GET_A_CLIENT: string | null = null
export const toCausedErrorObject: null = null
/** Counts of refused calls, and more, are for hosts and frontends in Node.js. */
export const IS_NODE_CLIENT: true | null = null
export const EXPOSE_REMEDIES: Readonly<Record<'exports' | 'none', string>> | null = null
