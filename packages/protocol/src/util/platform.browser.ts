// `#platform` for browsers, by what the web platform has.

export const isArrayBuffer = (value: unknown): value is ArrayBuffer => value instanceof ArrayBuffer
export const isUint8Array = (value: unknown): value is Uint8Array => value instanceof Uint8Array
export const isBytes = (value: unknown): value is Uint8Array | ArrayBuffer =>
  isUint8Array(value) || isArrayBuffer(value)

/** The host's answer comes with its greeting. */
let development = false
export const isDevelopment = (): boolean => development
export const setDevelopment = (value: boolean): void => void (development = value)
export const IS_NODE: boolean = false
export const HAS_CONTEXTS: boolean = false

const encoder = /* @__PURE__ */ new TextEncoder()
const decoder = /* @__PURE__ */ new TextDecoder('utf-8', { ignoreBOM: true })
const strictDecoder = /* @__PURE__ */ new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

export const allocate = (size: number): Uint8Array => new Uint8Array(size)
export const toReadable = (bytes: Uint8Array): Uint8Array => bytes

export function concatBytes(parts: readonly Uint8Array[]): Uint8Array {
  const joined = new Uint8Array(parts.reduce((size, part) => size + part.length, 0))
  let at = 0
  for (const part of parts) {
    joined.set(part, at)
    at += part.length
  }
  return joined
}

export const utf8Length = (text: string): number => encoder.encode(text).length
export const toUtf8 = (text: string): Uint8Array => encoder.encode(text)
export const writeUtf8 = (target: Uint8Array, text: string, at: number, size: number): number =>
  encoder.encodeInto(text, target.subarray(at, at + size)).written
export const readUtf8 = (bytes: Uint8Array, from: number, to: number): string =>
  decoder.decode(bytes.subarray(from, to))

export function decodeUtf8(bytes: Uint8Array): string {
  try {
    return strictDecoder.decode(bytes)
  } catch (cause) {
    throw new TypeError('the text is not UTF-8', { cause })
  }
}

/** Bound: a browser refuses it as a method of another object ("Illegal invocation"). */
export const queueMicrotask: (callback: () => void) => void = globalThis.queueMicrotask.bind(globalThis)
export { queueMicrotask as nextTick, queueMicrotask as onEndOfTick }
export const readClock = (): number => performance.now()
export const onNextTick = (callback: () => void): void => void setTimeout(callback)
export const allowManyListeners = (_signal: AbortSignal): void => {}
export const warn = (message: string): void => console.warn(message)
export const getSystemMessage = (_errno: number): string | undefined => undefined
/** A WebSocket copies all bytes: none are moved. */
export const isPooled = (_buffer: object): boolean => true
// No page calls these: each would be a part of every page.
const unused = (): never => undefined as never
export const bindContext = <Run>(run: Run): Run => run
export { unused as captureContext, unused as createEmptyContext, unused as readLatin1, unused as withoutContext }
