// Converts arguments, options, results and errors between Tauri's clients and the bus. Those clients expect bytes as an ArrayBuffer, and
// no result as null. An error is the plain value that the command failed with, or a string; never an Error.
import { createCheck } from '@sallyport/protocol/internal/codec'
import { isBusError } from '@sallyport/protocol/internal/errors'
import { parseChannelReference, type WaitOptions } from '@sallyport/protocol/internal/message'
import { getTypeName, isPlainObject, isUint8Array } from '@sallyport/protocol/internal/util'
import { MIN_ATTACHMENT_BYTES } from '@sallyport/protocol/internal/wire'
import type { InvokeOptions } from '../client/arguments.js'

export function toAnswer(result: unknown): unknown {
  if (!isUint8Array(result)) return result === undefined ? null : result
  const { buffer, byteOffset, byteLength } = result
  // The bytes are copied only if their buffer contains others.
  return byteLength === buffer.byteLength ? buffer : buffer.slice(byteOffset, byteOffset + byteLength)
}

/** Returns other errors unchanged: the serializer's TypeError is thrown in Tauri, too. */
export function toRejection(error: unknown): unknown {
  if (!isBusError(error)) return error
  return error.reason === 'CommandFailed' && error.data !== undefined ? error.data : error.message
}

/** The options of a call. Tauri itself has only `headers`. */
export interface IpcOptions extends WaitOptions {
  headers?: ConstructorParameters<typeof Headers>[0]
}

type CallOptions = WaitOptions & Pick<InvokeOptions, 'headers'>

/** Headers that Tauri sets itself; the caller's are ignored. */
const RESERVED_HEADERS = ['content-type', 'tauri-callback', 'tauri-error', 'tauri-invoke-key']

/** @throws {TypeError} if the headers are invalid, as in Tauri */
export function toCallOptions(options: IpcOptions | undefined): CallOptions | undefined {
  if (options === undefined || options === null) return undefined
  const { headers: init, signal, timeout } = options
  const headers = new Headers(init ?? {})
  for (const name of RESERVED_HEADERS) headers.delete(name)
  return {
    ...(init && { headers: Object.fromEntries(headers) }),
    ...(signal && { signal }),
    ...(timeout !== undefined && { timeout }),
  }
}

// Arguments are serialized as Tauri's IPC does (crates/tauri/scripts/process-ipc-message-fn.js): bytes and arrays are a raw body,
// everything else is JSON with a replacer. Most arguments contain nothing to replace: they are only checked, and passed on unchanged.

/** `SERIALIZE_TO_IPC_FN` of @tauri-apps/api: the name of a method that returns the value to send in place of its object. */
export const SERIALIZE_TO_IPC_FN = '__TAURI_TO_IPC_KEY__'

/** Deeper values, and cycles, are left to `JSON.stringify`. */
const MAX_DEPTH = 64

/**
 * Returns arguments for the client: bytes, or plain JSON values that no codec changes.
 *
 * @param channels - gets the names of arguments that are channels: objects that serialize to the reference of one. A text is none
 * @throws {TypeError} if there is a BigInt or a cycle, as `JSON.stringify` does, an array contains anything but bytes, a channel is deeper down,
 * or a value remains that JSON would change, as a Set
 * @throws what a getter or `toJSON` throws
 */
export function serializePayload(payload: unknown, channels: string[] = []): unknown {
  if (Array.isArray(payload)) {
    const bytes = toBytes(payload)
    if (isUint8Array(bytes)) return bytes
    throw new TypeError(`An array as all arguments is sent as bytes: its element ${bytes} is not a byte`)
  }
  if (getTypeName(payload) === 'ArrayBuffer') return new Uint8Array(payload as ArrayBuffer)
  if (ArrayBuffer.isView(payload)) {
    if (isUint8Array(payload)) return payload
    return new Uint8Array(payload.buffer, payload.byteOffset, payload.byteLength)
  }
  return packArrays(withoutUndefined(payload) ?? throughJson(payload, channels), 2)
}

/**
 * Returns the bytes, or the index of an element that is not a byte. By the types of @tauri-apps/api, an array of numbers arrives as
 * bytes. In Tauri, fetch converts it to the string "1,2,3".
 */
function toBytes(array: readonly unknown[]): Uint8Array | number {
  const bytes = new Uint8Array(array.length)
  for (let i = 0; i < array.length; i++) {
    bytes[i] = array[i] as number
    if (bytes[i] !== array[i]) return i
  }
  return bytes
}

/**
 * Replaces long arrays of bytes by bytes, in the arguments and in objects among them. Guests of plugins send bytes as arrays of numbers, which
 * would be over the limits of a message.
 *
 * @param levels - nested objects that are inspected
 */
function packArrays(value: unknown, levels: number): unknown {
  if (Array.isArray(value)) {
    const bytes = value.length > MIN_ATTACHMENT_BYTES && toBytes(value)
    return isUint8Array(bytes) ? bytes : value
  }
  if (levels === 0 || !isPlainObject(value)) return value
  let copy: Record<string, unknown> | undefined
  for (const name of Object.keys(value)) {
    const packed = packArrays(value[name], levels - 1)
    if (packed === value[name]) continue
    copy ??= { ...value }
    copy[name] = packed
  }
  return copy ?? value
}

/** Returns the arguments, or a copy without those that are `undefined`. Returns `undefined` if JSON would change more. */
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

const isPlain = (value: unknown): value is Record<string, unknown> => isPlainObject(value) && !isSpecial(value)

const isSpecial = (value: object): boolean => 'toJSON' in value || SERIALIZE_TO_IPC_FN in value

/** The part of remedies that nobody needs here: all is JSON whatever the codec. */
const NEEDLESS = /, or choose codec: 'msgpack'/g
/** The check refuses it with its path. */
const NESTED_CHANNEL = { [Symbol.toStringTag]: 'Channel' }

function throughJson(payload: unknown, channels: string[]): unknown {
  const check = createCheck()
  let root: unknown
  try {
    const json = JSON.stringify(payload, function (this: Record<string, unknown>, name, original: unknown) {
      let value = replace(original)
      if (value === undefined) return undefined
      root ??= value
      if (parseChannelReference(value) !== undefined && typeof this[name] === 'object') {
        if (this === root) channels.push(name)
        else value = NESTED_CHANNEL
      }
      return check.call(this, name, original, value)
    }) as string | undefined
    return json === undefined ? undefined : JSON.parse(json)
  } catch (error) {
    if (error instanceof TypeError) error.message = error.message.replaceAll(NEEDLESS, '')
    throw error
  }
}

/** Tauri's replacer. `toJSON` was called before, so a Buffer is an object of `type` and `data` here. */
function replace(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value
  const type = getTypeName(value)
  if (type === 'Map') return Object.fromEntries(value as Map<unknown, unknown>)
  if (type === 'Uint8Array') return Array.from(value as Uint8Array)
  if (type === 'ArrayBuffer') return Array.from(new Uint8Array(value as ArrayBuffer))
  if (SERIALIZE_TO_IPC_FN in value) return (value[SERIALIZE_TO_IPC_FN] as () => unknown)()
  return value
}
