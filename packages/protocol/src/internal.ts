// For the benchmark alone: records without a cipher, so that its cost is seen by leaving it out. Nothing else may use this.
import type { Opener, Sealer } from './crypto/record.js'
import { BusError } from './errors/bus-error.js'

const HEADER_BYTES = 5

/** Writes count and kind before the body, in the clear. */
export function createPlainSealer(): Sealer {
  return {
    seal(kind, body, count) {
      const bytes = typeof body === 'string' ? Buffer.from(body) : body
      const record = new Uint8Array(HEADER_BYTES + bytes.byteLength)
      new DataView(record.buffer).setUint32(0, count)
      record[4] = kind
      record.set(bytes, HEADER_BYTES)
      return record
    },
  }
}

export function createPlainOpener(): Opener {
  return {
    open(record) {
      const kind = record[4]
      if (kind === undefined) throw new BusError('InvalidRequest', 'The record is cut short')
      const count = new DataView(record.buffer, record.byteOffset).getUint32(0)
      return { kind, body: record.subarray(HEADER_BYTES), count }
    },
  }
}
