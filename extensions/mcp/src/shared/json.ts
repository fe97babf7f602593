// MCP is JSON. What a bus with MessagePack carries beyond that is refused, or changed, before a transport meets it.
import { BusError } from '@sallyport/core'
import { isPlainObject } from '@sallyport/protocol/internal/util'

export const toBase64 = ({ buffer, byteOffset, byteLength }: Uint8Array): string =>
  Buffer.from(buffer, byteOffset, byteLength).toString('base64')

/**
 * Returns a copy of what has arrived by a codec, with bytes as base64, as MCP writes them.
 * @throws {BusError} InvalidParams for numbers that JSON would write as null, and BigInt
 */
export function toJson(value: unknown): unknown {
  if (value instanceof Uint8Array) return toBase64(value)
  if (typeof value === 'bigint' || (typeof value === 'number' && !Number.isFinite(value)))
    throw new BusError(
      'InvalidParams',
      `MCP cannot carry ${typeof value === 'bigint' ? 'a BigInt' : value}. Pass a string`,
    )
  if (Array.isArray(value)) return value.map(toJson)
  return isPlainObject(value) ? toJsonMembers(value) : value
}

export const toJsonMembers = (value: Record<string, unknown>): Record<string, unknown> =>
  Object.fromEntries(Object.entries(value).map(([name, member]) => [name, toJson(member)]))
