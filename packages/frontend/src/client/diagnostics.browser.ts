// `diagnostics.ts` for browsers, which have no diagnostics channels.
import type { CallChannel, EventTrace } from '@sallyport/protocol/internal'

interface UnusedChannel {
  readonly hasSubscribers: false
  publish?(trace: EventTrace): void
}

const unused: UnusedChannel = { hasSubscribers: false }

export const invokes: CallChannel = unused as unknown as CallChannel
export const exposedCalls: CallChannel = unused as unknown as CallChannel
export const eventsSent: UnusedChannel = unused
export const eventsReceived: UnusedChannel = unused
