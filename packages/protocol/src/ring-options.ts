// What a link over two rings is made of, and how much of a turn it takes.
import type { MessagePort } from 'node:worker_threads'

/** Looks at the ring within one turn of the event loop, while polling: about a microsecond, as much as the turn takes. */
export const PROBES: number = 1000
/** One frame of 64 halves what frames of 16 reach with 64 calls in flight. */
export const FRAME_MESSAGES: number = 16
/** Frames that are taken within one turn. */
export const FRAMES_PER_PASS: number = 256

export interface RingLinkOptions {
  /** Memory of `createRingBuffers`: what is `out` here is `in` there. */
  out: SharedArrayBuffer
  in: SharedArrayBuffer
  /** Carries large frames, tells of the peer's end, and keeps the thread alive. */
  port: MessagePort
  /** This side mostly asks: it decides whether to poll, and begins as soon as it has sent. The other side follows it. */
  awaitsReplies?: boolean
  /** `false`: never poll, sleep whenever nothing is there. */
  poll?: boolean
}
