// Structured clones as bytes, for a process. `v8.deserialize` would return views of the message, from which a script could read the rest of it.
import { Deserializer, Serializer } from 'node:v8'

/** @throws for shared memory, functions and some objects of Node; others arrive as empty objects */
export function serializeValue(value: unknown): Uint8Array {
  const serializer = new Serializer()
  serializer.writeHeader()
  serializer.writeValue(value)
  return serializer.releaseBuffer()
}

/** Returns a value that shares no memory with the bytes. */
export function deserializeValue(bytes: Uint8Array): unknown {
  const deserializer = new Deserializer(bytes)
  deserializer.readHeader()
  return deserializer.readValue()
}
