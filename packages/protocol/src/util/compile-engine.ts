// Compiles QuickJS, which the host does for its threads, and each process for itself.
import { concatBytes } from '#platform'

// Only TypeScript's types of browsers have it.
declare const WebAssembly: { compile(bytes: Uint8Array): Promise<object> }

const HEADER_BYTES = 8
const EXPORT_SECTION = 7
/** What `quickjs-wasi` calls. The other 343 exports are for extensions of the engine. */
const CALLED = /^(?:qjs_|wasm_|memory$|__stack_pointer$|_initialize$)/

/**
 * Leaves out the exports that nothing calls: V8 makes an object of each for each instance, which are more than half of its time and of its
 * part of the heap.
 *
 * @throws {Error} the `CompileError` of `WebAssembly.compile`
 */
export const compileEngine = (bytes: Uint8Array): Promise<object> => WebAssembly.compile(leaveOutExports(bytes))

function leaveOutExports(bytes: Uint8Array): Uint8Array {
  const parts = [bytes.subarray(0, HEADER_BYTES)]
  for (let at = HEADER_BYTES; at < bytes.length;) {
    const [size, start] = readNumber(bytes, at + 1)
    const end = start + size
    if (bytes[at] === EXPORT_SECTION) parts.push(...filterExports(bytes.subarray(start, end)))
    else parts.push(bytes.subarray(at, end))
    at = end
  }
  return concatBytes(parts)
}

/** Returns the section with the exports that are called, in parts. */
function filterExports(section: Uint8Array): Uint8Array[] {
  const decoder = new TextDecoder()
  const kept: Uint8Array[] = []
  let [, at] = readNumber(section, 0)
  while (at < section.length) {
    const [length, start] = readNumber(section, at)
    const kindAt = start + length
    const [, end] = readNumber(section, kindAt + 1)
    if (CALLED.test(decoder.decode(section.subarray(start, kindAt)))) kept.push(section.subarray(at, end))
    at = end
  }
  const content = [writeNumber(kept.length), ...kept]
  const size = content.reduce((sum, { length }) => sum + length, 0)
  return [Uint8Array.of(EXPORT_SECTION), writeNumber(size), ...content]
}

/** Reads an unsigned LEB128. Returns it and the place behind it. Where the binary ends too early, it reads zeros: WebAssembly refuses the rest. */
function readNumber(bytes: Uint8Array, at: number): [value: number, end: number] {
  let value = 0
  for (let shift = 0; ; shift += 7) {
    const byte = bytes[at++] ?? 0
    value |= (byte & 127) << shift
    if (byte < 128) return [value >>> 0, at]
  }
}

function writeNumber(value: number): Uint8Array {
  const bytes: number[] = []
  for (; value >= 128; value >>>= 7) bytes.push((value & 127) | 128)
  return Uint8Array.of(...bytes, value)
}
