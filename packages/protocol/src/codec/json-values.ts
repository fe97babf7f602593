// Values next to bytes, in a message of a sender whose codec is JSON.
import { HAS_BYTES, isBytes } from '../message/message.js'
import { protoKey } from './codec.js'
import { stringifyJson } from './stringify-json.js'

/**
 * Returns a value with bytes as it is, but with its other members as JSON would carry them. For a message that is encoded as
 * MessagePack because of its bytes, by a sender whose codec is JSON.
 *
 * @throws what `stringifyJson` throws
 */
export function toJsonValue(value: unknown): unknown {
  if (isBytes(value) || isUnchanged(value)) return value
  const toJSON = (value as { toJSON?: unknown } | undefined)?.toJSON
  if (typeof toJSON === 'function') return toJsonValue(toJSON.call(value, ''))
  if (Array.isArray(value) || typeof value !== 'object' || value === null) return throughJson(value)
  const others: Record<string, unknown> = {}
  const bytes = new Map<string, unknown>()
  let isSame = true
  for (const key of Object.keys(value)) {
    if (key === '__proto__') throw protoKey()
    const member = (value as Record<string, unknown>)[key]
    others[key] = member
    if (isBytes(member) || (member as { [HAS_BYTES]?: true } | null | undefined)?.[HAS_BYTES]) {
      bytes.set(key, member)
      // The placeholder keeps the order of the members.
      others[key] = null
    } else if (!isUnchanged(member)) isSame = false
  }
  if (isSame && bytes.size > 0) return value
  return Object.assign(throughJson(bytes.size > 0 ? others : value) as object, Object.fromEntries(bytes))
}

const isUnchanged = (value: unknown): boolean =>
  typeof value === 'string' || typeof value === 'boolean' || value === null || Number.isFinite(value)

function throughJson(value: unknown): unknown {
  const text = stringifyJson(value)
  return text === undefined ? undefined : (JSON.parse(text) as unknown)
}
