// The clear part of a record: 44 bytes of fixed layout, big-endian, all of it authenticated as additional data. Both
// sides write it from what they know; the opener compares, so that nothing in it is ever taken on trust.
import { TAG_BYTES } from './aead.js'

const RECORD_VERSION = 1

export const HEADER_BYTES = 44
/** What sealing adds to a body: header, kind byte and tag. */
export const RECORD_OVERHEAD: number = HEADER_BYTES + 1 + TAG_BYTES

const COUNT_AT = 4
const EPOCH_AT = 8
const SEQUENCE_AT = 12
const TIME_AT = 16
const SESSION_AT = 24
const LENGTH_AT = 40

const TWO_32 = 2 ** 32

/** A header of one session that is written over and over, so that no record pays for a new one. */
export interface RecordHeader {
  readonly bytes: Uint8Array
  /** `length` is that of the ciphertext, `time` in whole milliseconds since the Unix epoch. */
  write(epoch: number, sequence: number, length: number, count: number, time: number): void
}

export function createRecordHeader(session: Uint8Array): RecordHeader {
  const bytes = new Uint8Array(HEADER_BYTES)
  const view = new DataView(bytes.buffer)
  bytes[0] = RECORD_VERSION
  bytes.set(session, SESSION_AT)
  return {
    bytes,
    write(epoch, sequence, length, count, time) {
      view.setUint32(COUNT_AT, count)
      view.setUint32(EPOCH_AT, epoch)
      view.setUint32(SEQUENCE_AT, sequence)
      view.setUint32(TIME_AT, Math.floor(time / TWO_32))
      view.setUint32(TIME_AT + 4, time >>> 0)
      view.setUint32(LENGTH_AT, length)
    },
  }
}

export const readCount = (record: Uint8Array): number => readUint32(record, COUNT_AT)

export const readTime = (record: Uint8Array): number =>
  readUint32(record, TIME_AT) * TWO_32 + readUint32(record, TIME_AT + 4)

/** True where a record begins with just this header. */
export function beginsWith(record: Uint8Array, header: Uint8Array): boolean {
  for (let i = 0; i < HEADER_BYTES; i++) if (record[i] !== header[i]) return false
  return true
}

function readUint32(bytes: Uint8Array, at: number): number {
  const [a = 0, b = 0, c = 0, d = 0] = [bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]]
  return ((a << 24) | (b << 16) | (c << 8) | d) >>> 0
}
