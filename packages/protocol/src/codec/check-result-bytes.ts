// The limit of the result of `bus.run`, for the script host, which sends no greater one, and for the host, which trusts no script host.
import { BusError } from '../errors/bus-error.js'
import { isUint8Array } from '#platform'
import type { CodecName } from './codec.js'
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
  const [size, empty] = [value, null].map(result => {
    const encoded = codecs[codec].encode({ jsonrpc: '2.0', id: 0, result })
    return typeof encoded === 'string' ? new TextEncoder().encode(encoded).length : encoded.length
  }) as [number, number]
  return size - empty + (codec === 'json' ? 'null'.length : 1)
}
