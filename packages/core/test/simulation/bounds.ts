// Limits of the protocol in the simulation, so small that a few messages reach them.
export const BOUNDS = {
  inFlight: 32,
  channels: 16,
  listeners: 16,
  /** Messages of a channel in flight. */
  channelWindow: 16,
  channelCost: 64,
  /** Size from which bytes are an attachment. */
  attachment: 64,
  creditWindow: 4096,
  creditStep: 1024,
  bufferCost: 16,
  /** Messages and bytes that wait in a client. */
  waiting: 40,
  waitingBytes: 20_000,
  /** Messages and bytes that wait in core for one frontend. */
  waitingEvents: 12,
  waitingEventBytes: 2000,
  /** Frames of a socket in a tick. */
  socketFrames: 3,
  kept: 30,
  keptBytes: 8000,
} as const
