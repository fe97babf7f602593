// Refuses values for MessagePack that are not data, but stand for work that goes on: it would write an empty map.
import { RefusedValueError } from '../errors/refused-value-error.js'
import { getType, REMEDIES } from './stringify-json.js'

const LIVE_TYPES: ReadonlySet<string> = new Set([
  'Promise',
  'AbortSignal',
  'ReadableStream',
  'WritableStream',
  'TransformStream',
  'Stream',
  'AsyncIterable',
  'MessagePort',
])

/** @throws {RefusedValueError} for a promise, a stream, a signal or a port */
export function refuseLive(value: object): void {
  const type = getType(value)
  if (type === undefined || !LIVE_TYPES.has(type)) return
  const text = `is a value of type ${type}, which MessagePack cannot represent: ${REMEDIES[type]}`
  throw new RefusedValueError(value, text)
}
