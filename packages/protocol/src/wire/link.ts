// A link is a two-way, ordered transport of frames between two actors. Whoever owns a link neither knows nor asks what
// carries it; the isolation pattern is a link too, made out of two others.
import type { BusError } from '../errors/bus-error.js'
import type { Frame, FrameKind } from './frame.js'

export interface ReceivedFrame {
  kind: FrameKind
  /** Owned by the receiver: nobody else reads or writes these bytes. */
  body: Uint8Array
  /** As in `Frame`. */
  more?: boolean
}

export interface LinkReceiver {
  frame(frame: ReceivedFrame): void
  /** Called once, after the last frame; with a fault where the peer sent what is no frame. */
  closed(fault?: BusError): void
}

export interface Link {
  /** True where an isolation gate is on the way. */
  readonly isolated?: true
  /**
   * Messages that a frame should hold at most while little waits: with more frames both ends of a ring work at once. None
   * where a frame costs more than that gains. It may change.
   */
  readonly frameMessages?: number | undefined
  /**
   * Hands one frame over, in order. A frame sent to a link that is closed goes nowhere: `closed` has told the owner.
   */
  send(frame: Frame): void
  /** Bytes that were sent and that the peer has not taken, as far as this end knows: never too few. 0 once the link has ended. */
  readonly queued: number
  /**
   * None while the peer has room for what was sent. Where something waits in this end, for the peer to take what came before:
   * resolves once nothing does, or the link has ended. `send` takes more all the same: whoever sends on is to bound it.
   */
  room(): Promise<void> | undefined
  /** Sets the one receiver. Frames that arrive before wait for it. */
  receive(receiver: LinkReceiver): void
  /**
   * Nothing is delivered until `resume`, the end of the link neither, unless this end closes it: the peer runs out of room,
   * and waits. It may be called from within a receiver.
   */
  pause(): void
  /** Delivers again, from a later microtask or turn on. */
  resume(): void
  /** Closes both ends: the peer still gets what was sent before, this end nothing more but `closed`. */
  close(): void
}

/** A receiver that throws is its owner's fault, not the peer's: it is thrown where nothing of the link waits for it. */
export function deliver(frame: ReceivedFrame, receiver: LinkReceiver): void {
  try {
    receiver.frame(frame)
  } catch (error) {
    process.nextTick(() => {
      throw error
    })
  }
}

/** How long a link that was closed waits for a peer that takes nothing of what still waits, in milliseconds: a busy one. */
export const LINGER_MS: number = 30_000
