// Arguments as Tauri's IPC serializes them (crates/tauri/scripts/process-ipc-message-fn.js): bytes and lists are a raw body,
// all else is JSON, with a replacer. Most arguments hold nothing to replace: they are looked at, and go on as they are.
import { isArrayBuffer, isMap, isUint8Array } from 'node:util/types'

/** `SERIALIZE_TO_IPC_FN` of @tauri-apps/api: a method under this name gives what is sent in its object's place. */
export const SERIALIZE_TO_IPC_FN = '__TAURI_TO_IPC_KEY__'

/** Deeper values, and cycles, are left to `JSON.stringify`. */
const MAX_DEPTH = 64

/**
 * What to pass to the client: bytes, or plain JSON values that no codec changes.
 *
 * @throws TypeError, as `JSON.stringify` does, for a BigInt or a cycle; and for a list that is no list of bytes. Whatever a
 * getter or `toJSON` throws
 */
export function serializePayload(payload: unknown): unknown {
  if (Array.isArray(payload)) return getBytes(payload)
  if (isArrayBuffer(payload)) return new Uint8Array(payload)
  if (ArrayBuffer.isView(payload)) {
    if (payload instanceof Uint8Array) return payload
    return new Uint8Array(payload.buffer, payload.byteOffset, payload.byteLength)
  }
  return withoutUndefined(payload) ?? throughJson(payload)
}

/** Types of @tauri-apps/api promise that a list of numbers arrives as bytes. (fetch, in Tauri, makes the text "1,2,3" of it.) */
function getBytes(list: readonly unknown[]): Uint8Array {
  const bytes = new Uint8Array(list.length)
  for (const [i, value] of list.entries()) {
    bytes[i] = value as number
    if (bytes[i] !== value) throw new TypeError(`A list as all arguments is taken as bytes: its element ${i} is none`)
  }
  return bytes
}

/** The arguments themselves, or a copy without those that are `undefined`; nothing where JSON would change more. */
function withoutUndefined(payload: unknown): unknown {
  if (!isPlain(payload)) return undefined
  let copy: Record<string, unknown> | undefined
  for (const name of Object.keys(payload)) {
    const value = payload[name]
    if (value === undefined) {
      copy ??= { ...payload }
      delete copy[name]
    } else if (!isJson(value, MAX_DEPTH)) return undefined
  }
  return copy ?? payload
}

/** True where JSON gives the very same value back, and Tauri's replacer finds nothing. */
function isJson(value: unknown, depth: number): boolean {
  if (typeof value === 'string' || typeof value === 'boolean' || value === null) return true
  if (typeof value === 'number') return Number.isFinite(value) && !Object.is(value, -0)
  if (typeof value !== 'object' || depth === 0) return false
  if (Array.isArray(value)) {
    if (Object.getPrototypeOf(value) !== Array.prototype || isSpecial(value)) return false
    for (const element of value) if (!isJson(element, depth - 1)) return false
    return true
  }
  if (!isPlain(value)) return false
  for (const name of Object.keys(value)) if (!isJson(value[name], depth - 1)) return false
  return true
}

/** Of another realm (the window of a jsdom) nothing is. */
function isPlain(value: unknown): value is Record<string, unknown> {
  if (typeof value !== 'object' || value === null) return false
  const prototype: unknown = Object.getPrototypeOf(value)
  return (prototype === Object.prototype || prototype === null) && !isSpecial(value)
}

const isSpecial = (value: object): boolean => 'toJSON' in value || SERIALIZE_TO_IPC_FN in value

function throughJson(payload: unknown): unknown {
  const text = JSON.stringify(payload, replace) as string | undefined
  return text === undefined ? undefined : (JSON.parse(text) as unknown)
}

/** `toJSON` has been called by now, as in Tauri: a Buffer is an object of `type` and `data` here. */
function replace(_key: string, value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value
  if (isMap(value)) return Object.fromEntries(value)
  if (isUint8Array(value)) return Array.from(value)
  if (isArrayBuffer(value)) return Array.from(new Uint8Array(value))
  if (SERIALIZE_TO_IPC_FN in value) return (value[SERIALIZE_TO_IPC_FN] as () => unknown)()
  return value
}
