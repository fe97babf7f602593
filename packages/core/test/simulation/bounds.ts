// The bounds of the wire while it is simulated: so small that a few messages reach each of them.
export const BOUNDS = {
  inFlight: 32,
  channels: 16,
  listeners: 16,
  channelWindow: 16,
  /** Bytes from which on bytes are an attachment. */
  attachment: 64,
  creditWindow: 4096,
  creditStep: 1024,
  bufferCost: 16,
  /** Of what waits in a client; */
  waiting: 40,
  waitingBytes: 20_000,
  /** and in core, for one frontend. */
  waitingEvents: 12,
  waitingEventBytes: 2000,
  kept: 30,
  keptBytes: 8000,
} as const
