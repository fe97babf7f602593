// One ring: the memory of one direction between two threads that don't trust each other. Control words stand on cache
// lines of their own; positions only grow (mod 2^32), so full and empty never look alike. A frame is
// a header of 8 bytes (its kind and length; how many bytes lie beside the ring instead) and its bytes, contiguous, 8-aligned.
import { BusError } from './error.js'

/** Words of the control area: two cache lines apart, because processors fetch lines in pairs. */
export const RING_WORD = {
  /** Where the producer writes next. Written by the producer. */
  head: 0,
  /** Where the consumer reads next. Written by the consumer. */
  tail: 32,
  /** 1: the consumer's thread sleeps, or is about to. Set by it, cleared by whoever wakes it; the doorbell's word. */
  parked: 64,
  /** 1: the producer waits for room. Set by it, cleared by the consumer. */
  wanted: 96,
} as const

const CONTROL_BYTES = 512
const MIN_BYTES = 1024
const MAX_BYTES: number = 2 ** 24
/** 64 KiB to 1 MiB measured alike; this holds a turn's frames, and two of it fit a second-level cache. */
const RING_BYTES: number = 2 ** 18

export const HEADER_BYTES = 8
/** A header that says: nothing more up to the end of the memory. */
export const SKIP = -1
/** Of a header's first word: bits 0 to 23 are the length, the next seven the kind. */
export const LENGTH_MASK = 0xff_ffff

/** What a frame of `length` bytes takes. */
export const frameSize = (length: number): number => (length + HEADER_BYTES + 7) & ~7

/** The error of whoever finds that the other side wrote nonsense. */
export const ringFault = (what: string): BusError => new BusError('InvalidRequest', `The peer broke the ring: ${what}`)

export interface RingMemory {
  readonly control: Int32Array<SharedArrayBuffer>
  readonly words: Int32Array<SharedArrayBuffer>
  readonly bytes: Buffer<SharedArrayBuffer>
  /** A power of two. */
  readonly size: number
}

/** The memory of both directions; `bytes` is the room of each, a power of two from 1 KiB to 16 MiB. */
export function createRingBuffers(bytes: number = RING_BYTES): [SharedArrayBuffer, SharedArrayBuffer] {
  if (!isRingSize(bytes)) throw new RangeError(`A ring of ${bytes} bytes: take a power of two from 1 KiB to 16 MiB`)
  return [new SharedArrayBuffer(CONTROL_BYTES + bytes), new SharedArrayBuffer(CONTROL_BYTES + bytes)]
}

/** @throws BusError `InvalidRequest` where this is no memory of a ring */
export function openRing(buffer: SharedArrayBuffer): RingMemory {
  const size = buffer instanceof SharedArrayBuffer ? buffer.byteLength - CONTROL_BYTES : 0
  if (!isRingSize(size)) throw ringFault('no memory of a ring')
  return {
    control: new Int32Array(buffer, 0, CONTROL_BYTES >> 2),
    words: new Int32Array(buffer, CONTROL_BYTES, size >> 2),
    bytes: Buffer.from(buffer, CONTROL_BYTES, size),
    size,
  }
}

const isRingSize = (bytes: number): boolean =>
  Number.isInteger(bytes) && bytes >= MIN_BYTES && bytes <= MAX_BYTES && (bytes & (bytes - 1)) === 0
