// `#node-features` for scripts in a VM of QuickJS: without channels of node:diagnostics_channel, and events that share a message.
import type { Channel } from 'node:diagnostics_channel'
import { toCausedErrorObject as toCaused } from '@sallyport/protocol/internal/errors'
import type { CallChannel, EventBatch } from '@sallyport/protocol/internal/rpc'

export const invokes: CallChannel | null = null
export const exposedCalls: CallChannel | null = null
export const eventsSent: Channel | null = null
export const eventsReceived: Channel | null = null
export const eventBatch: typeof EventBatch | null = null
export const toCausedErrorObject: typeof toCaused | null = toCaused
export const HOW_TO_GET_A_CLIENT: string | null = null
export const IS_NODE_CLIENT: true | null = true
export const EXPOSE_REMEDIES: Readonly<Record<'exports' | 'none', string>> | null = {
  exports: '',
  none: '. Call `expose({ … })` of @sallyport/frontend in its module',
}
