// The bytes of a continuation, as `sealed-record.ts` seals them. Within: length u32, the data of the calls that were interrupted
// (`serializeValue`), and the snapshot.
import { createHash, type KeyObject } from 'node:crypto'
import { deserializeValue, serializeValue } from '@sallyport/protocol/internal/contract'
import type { InterruptionReport } from '../../contract/host-core.js'
import { type Purpose, openRecord, sealRecord } from './sealed-record.js'
import type { Continuation, ContinuationHeader } from './suspension.js'

const LENGTH_BYTES = 4
const PURPOSE: Purpose = {
  name: 'continuation',
  subject: 'bus.resume: the continuation',
  // Rises with the form of a continuation, and with what the script host keeps in a snapshot.
  version: 3,
}

export const hashCode = (source: string): string => createHash('sha256').update(source).digest('hex')

export function sealContinuation(master: KeyObject, { header, interrupted, snapshot }: Continuation): Uint8Array {
  const content = serializeValue(interrupted)
  const length = Buffer.alloc(LENGTH_BYTES)
  length.writeUInt32BE(content.length)
  return sealRecord(master, PURPOSE, header, [length, content, snapshot])
}

/** @throws {BusError} InvalidParams for a continuation that was changed, or that another key or version has made */
export function openContinuation(master: KeyObject, sealed: Uint8Array): Continuation {
  const { header, plain } = openRecord<ContinuationHeader>(master, PURPOSE, sealed)
  const split = LENGTH_BYTES + plain.readUInt32BE()
  const interrupted = deserializeValue(plain.subarray(LENGTH_BYTES, split)) as readonly InterruptionReport[]
  return { header, interrupted, snapshot: Uint8Array.from(plain.subarray(split)) }
}
