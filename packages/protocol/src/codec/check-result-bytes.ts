// The limit of the result of `bus.run`, for the script host, which sends no greater one, and for the host, which trusts no script host.
import { BusError } from '../errors/bus-error.js'
import { isUint8Array, utf8Length } from '#platform'
import { type CodecName, getSize, WithBytes } from './codec.js'
import { codecs } from './codecs.js'

/** @throws {BusError} Overloaded for a result of more than `max` bytes, as its codec writes it */
export function checkResultBytes(value: unknown, max: number, codec: CodecName): void {
  const bytes = measureValue(value, codec)
  if (bytes <= max) return
  const text = `The result of bus.run has ${bytes} bytes, more than ${max}`
  throw new BusError('Overloaded', text, { data: { limit: 'resultBytes', max } })
}

/** Returns the bytes of a value as a codec writes it. @throws {BusError} InvalidParams for a value that cannot be serialized */
export function measureValue(value: unknown, codec: CodecName): number {
  if (isUint8Array(value)) return value.byteLength
  const encoded = codecs[codec].encodeValue(value) ?? 'null'
  const text = encoded instanceof WithBytes ? encoded.encoded : encoded
  return getSize(encoded) + (typeof text === 'string' ? utf8Length(text) - text.length : 0)
}
