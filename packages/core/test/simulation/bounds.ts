// Limits of the protocol in the simulation, so small that a few messages reach them. Each seed has capacities of its own, from one frame upwards.
import type { Random } from '../fuzz/random.js'

/** The least that a ring can have. */
const MIN_RING_BYTES = 1024
const MAX_RING_DOUBLINGS = 6

const createBounds = () => ({
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
  ring: MIN_RING_BYTES,
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
  /** Messages and bytes on one link from which a limit may have been reached. */
  crowd: 24,
  crowdBytes: 6000,
  /** Its pipes are slow for their frames. */
  stopRounds: 2000,
})

/** Those of the running seed. */
export const BOUNDS: ReturnType<typeof createBounds> = createBounds()

/** Queues of this many times the size hold whatever a seed sends: nothing is refused, and all that is sent has to arrive. */
const ROOMY = 40

/** Chooses those of a seed. @param isRoomy - nothing is refused for want of room */
export function chooseBounds(random: Random, isRoomy = false): void {
  Object.assign(BOUNDS, createBounds())
  BOUNDS.creditWindow = 1 + random.few(8192)
  BOUNDS.creditStep = Math.max(1, BOUNDS.creditWindow >> 2)
  BOUNDS.channelWindow = 1 + random.below(16)
  BOUNDS.ring = MIN_RING_BYTES << random.few(MAX_RING_DOUBLINGS)
  if (!isRoomy && random.chance(0.5)) return
  for (const name of ['inFlight', 'channels', 'listeners', 'waiting', 'waitingBytes'] as const) BOUNDS[name] *= ROOMY
  for (const name of ['waitingEvents', 'waitingEventBytes', 'kept', 'keptBytes'] as const) BOUNDS[name] *= ROOMY
  BOUNDS.crowd *= ROOMY
  BOUNDS.crowdBytes *= ROOMY
}

/** Returns the size of a value: none, small, about what a buffer holds, or several times as much. */
export function createSize(random: Random): number {
  const capacity = random.pick([BOUNDS.creditWindow, BOUNDS.ring])
  return random.pick([
    () => 0,
    () => random.below(64),
    () => Math.max(0, capacity - 300 + random.below(320)),
    () => capacity * (1 + random.below(5)),
  ])()
}
