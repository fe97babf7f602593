// A record is a frame sealed for one receiver: header, ciphertext, tag. It holds a whole inner frame (kind byte and
// body), so that methods, ids and parameters are sealed together and none can be replayed under another.
// docs/records.md has the layout and the reasons.
import { decrypt, encrypt, TAG_BYTES } from './aead.js'
import { RECORD_HEADROOM } from './frame.js'
import { beginsWith, createRecordHeader, HEADER_BYTES, readCount, readTime, RECORD_OVERHEAD } from './record-header.js'
import { createKeySchedule, type KeySchedule, type KeyScheduleOptions } from './record-keys.js'
import { recordRefused } from './record-refused.js'

/** How old a record may be when it is opened, in milliseconds: an approval can't be kept for later. */
export const MAX_RECORD_AGE = 30_000

// A body above this size is not copied before it is encrypted, and is decrypted into memory of its own.
const LARGE_BYTES = 64 * 1024
const BODY_AT: number = HEADER_BYTES + 1

const encoder = new TextEncoder()

export interface SealerOptions extends KeyScheduleOptions {
  /** Milliseconds since the Unix epoch; `Date.now` unless given. */
  now?: (() => number) | undefined
}

export interface OpenerOptions extends SealerOptions {
  /** Milliseconds that a record's time may differ from `now`, either way; `MAX_RECORD_AGE` unless given. */
  maxRecordAge?: number | undefined
}

export interface Sealer {
  /**
   * Seals one frame. Text becomes UTF-8. The record is alone in its ArrayBuffer, after `RECORD_HEADROOM` free bytes.
   *
   * @param count how many messages the body holds: whoever carries the record can read it, and not change it
   * @throws RangeError where kind or count is out of range, or the session has used up its 2^32 epochs
   */
  seal(kind: number, body: string | Uint8Array, count: number): Uint8Array<ArrayBuffer>
}

export interface OpenedRecord {
  kind: number
  /** The receiver's own, in no memory that anyone else can write to. */
  body: Uint8Array
  count: number
}

export interface Opener {
  /**
   * Opens the record that is next.
   *
   * @throws BusError `InvalidRequest`, with one text whatever was wrong; from then on every record is refused
   */
  open(record: Uint8Array): OpenedRecord
}

/**
 * The sealing end of a session. A secret, session and direction have one sealer, ever: two would use each nonce twice.
 *
 * @example
 * const options = { secret: createSessionSecret(master, session), session, direction: 'to core' }
 * const [sealer, opener] = [createSealer(options), createOpener(options)]
 * opener.open(sealer.seal(FRAME_KIND.json, '{"jsonrpc":"2.0", …}', 1)) // { kind, body, count }
 */
export function createSealer(options: SealerOptions): Sealer {
  const keys = createKeySchedule(options)
  const header = createRecordHeader(options.session)
  const now = options.now ?? Date.now
  return {
    seal(kind, body, count) {
      if (kind !== (kind & 0xff) || count !== count >>> 0) throw new RangeError('A kind is a u8, and a count a u32')
      const large = typeof body !== 'string' && body.byteLength > LARGE_BYTES ? unshared(body) : undefined
      const record = large ? allocate(large.byteLength) : allocateWith(body)
      const length = record.byteLength - HEADER_BYTES - TAG_BYTES
      const time = now()
      const { key, nonce, epoch, sequence } = keys.next()
      header.write(epoch, sequence, length, count, time)
      record.set(header.bytes)
      record[HEADER_BYTES] = kind
      const sealed = record.subarray(HEADER_BYTES)
      encrypt(key, nonce, header.bytes, large ? [sealed.subarray(0, 1), large] : [sealed.subarray(0, length)], sealed)
      keys.advance(length)
      return record
    },
  }
}

/** The opening end of a session: takes each record once, in the order of sealing, and closes at the first failure. */
export function createOpener(options: OpenerOptions): Opener {
  let keys: KeySchedule | undefined = createKeySchedule(options)
  const header = createRecordHeader(options.session)
  const now = options.now ?? Date.now
  const maxAge = options.maxRecordAge ?? MAX_RECORD_AGE

  function tryOpen(record: Uint8Array, { next, advance }: KeySchedule): OpenedRecord | undefined {
    const length = record.byteLength - HEADER_BYTES - TAG_BYTES
    if (length < 1) return undefined
    const count = readCount(record)
    const time = readTime(record)
    const { key, nonce, epoch, sequence } = next()
    header.write(epoch, sequence, length, count, time)
    if (!beginsWith(record, header.bytes) || !(Math.abs(now() - time) <= maxAge)) return undefined
    const sealed = record.subarray(HEADER_BYTES, HEADER_BYTES + length)
    const parts = length > LARGE_BYTES ? [sealed.subarray(0, 1), sealed.subarray(1)] : [sealed]
    const [first, rest] = decrypt(key, nonce, header.bytes, parts, record.subarray(HEADER_BYTES + length))
    const kind = first?.[0]
    if (first === undefined || kind === undefined) return undefined
    advance(length)
    return { kind, body: rest ?? first.subarray(1), count }
  }

  return {
    open(record) {
      // Closed until it has succeeded: whatever goes wrong in between, there is no way back, and no reason is given.
      const schedule = keys
      keys = undefined
      try {
        const opened = schedule && tryOpen(unshared(record), schedule)
        if (opened) {
          keys = schedule
          return opened
        }
      } catch {
        // A tag that does not fit ends like everything else.
      }
      throw recordRefused()
    },
  }
}

/** A record to be filled, with room for a body of this size, alone in its ArrayBuffer after the headroom. */
function allocate(bodyBytes: number): Uint8Array<ArrayBuffer> {
  const buffer = Buffer.allocUnsafeSlow(RECORD_HEADROOM + RECORD_OVERHEAD + bodyBytes)
  buffer.fill(0, 0, RECORD_HEADROOM)
  return new Uint8Array(buffer.buffer, RECORD_HEADROOM)
}

function allocateWith(body: string | Uint8Array): Uint8Array<ArrayBuffer> {
  const record = allocate(body.length)
  if (typeof body !== 'string') {
    record.set(body, BODY_AT)
    return record
  }
  // Most JSON is ASCII, as long as its text. Where it is not, what did not fit is measured, and room made for it.
  const { read, written } = encoder.encodeInto(body, record.subarray(BODY_AT, BODY_AT + body.length))
  if (read === body.length) return record
  const rest = body.slice(read)
  const longer = allocate(written + Buffer.byteLength(rest))
  longer.set(record.subarray(BODY_AT, BODY_AT + written), BODY_AT)
  encoder.encodeInto(rest, longer.subarray(BODY_AT + written))
  return longer
}

/** What lies in shared memory can change while it is read: it is copied first. */
function unshared(bytes: Uint8Array): Uint8Array {
  return bytes.buffer instanceof SharedArrayBuffer ? new Uint8Array(bytes) : bytes
}
