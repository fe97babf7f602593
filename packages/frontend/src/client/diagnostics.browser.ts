// `diagnostics.ts` for browsers, which have no diagnostics channels.
import type { CallChannel, EventTrace } from '@sallyport/protocol/internal'

const unused: { readonly hasSubscribers: false; publish?(trace: EventTrace): void } = { hasSubscribers: false }

export const invokes: CallChannel = unused as unknown as CallChannel
export const exposedCalls: CallChannel = unused as unknown as CallChannel
export const eventsSent: typeof unused = unused
export const eventsReceived: typeof unused = unused
