// The batching of a tick's messages: when a batch is full, and when it leaves otherwise. An `Outbox` batches by these rules. Core has a
// `FlushScheduler` of its own for late answers, in `core/src/rpc/answer-scheduler.ts`.
import { onEndOfTick } from '#platform'

/**
 * Bytes after which a batch is sent before its tick has ended, so that the peer reads it while the next is written. A much lower
 * value costs more frames than it gains. With a higher one, one side waits for the other, and core scans JSON before it parses.
 */
export const FULL_BATCH_BYTES: number = 16 * 1024
/** Values of one channel or event after which their message is sent before its tick has ended. */
export const FULL_BATCH_VALUES = 64
/** A frame of this size is one of several: its sender begins the next one soon after. */
export const LONG_FRAME_BYTES: number = (FULL_BATCH_BYTES * 3) / 4
/** Messages that a gate's record holds at least, if they arrive together. With fewer, threads wake up more often than parallel work gains. */
export const MIN_FULL_RECORD = 32

/** Decides when a batch leaves that is not full. */
export interface FlushScheduler {
  /** Calls `flush` once, later. */
  schedule(flush: () => void): void
}

/** Flushes when all promises of the tick have settled, so that their messages share a frame; or sooner after a silence. */
export const endOfTick: FlushScheduler = { schedule: onEndOfTick }
