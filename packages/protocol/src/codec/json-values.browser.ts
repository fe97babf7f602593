// `json-values.ts` for browsers: all members but bytes go through JSON, whether it changes them or not.
import { isBytes } from '../message/message.js'
import { protoKey } from './codec.js'

export function toJsonValue(value: unknown): unknown {
  if (isBytes(value)) return value
  const members = Object(value) as Record<string, unknown>
  const names = Object.keys(members)
  if (!names.some(name => isBytes(members[name]))) return throughJson(value)
  const json: Record<string, unknown> = {}
  for (const name of names) {
    if (name === '__proto__') throw protoKey()
    const member = members[name]
    const converted = isBytes(member) ? member : throughJson(member)
    if (converted !== undefined) json[name] = converted
  }
  return json
}

function throughJson(value: unknown): unknown {
  const text = JSON.stringify(value)
  return text && (JSON.parse(text) as unknown)
}
