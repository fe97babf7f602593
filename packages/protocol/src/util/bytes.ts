// What bytes are, where a test environment has replaced the globals: under vitest's jsdom `ArrayBuffer` and `Uint8Array` are those
// of a page, and `instanceof` says no of every Buffer and of all that comes through a port. Asked once, as this is loaded, so that
// nobody else pays for it.
import { types } from 'node:util'

const isOwn = Object.getPrototypeOf(Buffer) === Uint8Array

export const isArrayBuffer: (value: unknown) => value is ArrayBuffer = isOwn
  ? (value): value is ArrayBuffer => value instanceof ArrayBuffer
  : types.isArrayBuffer

export const isUint8Array: (value: unknown) => value is Uint8Array = isOwn
  ? (value): value is Uint8Array => value instanceof Uint8Array
  : types.isUint8Array
