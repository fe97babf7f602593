// Reads and writes the sections of a WebAssembly module.
import { concatBytes } from '#platform'

const HEADER_BYTES = 8

export const SECTION = { type: 1, import: 2, function: 3, global: 6, export: 7, code: 10 } as const

/** Changes the content of sections. @param change - returns the parts of the new content, or `undefined` if a section stays as it is */
export function mapSections(
  bytes: Uint8Array,
  change: (id: number, content: Uint8Array) => Uint8Array[] | undefined,
): Uint8Array {
  const parts = [bytes.subarray(0, HEADER_BYTES)]
  forEachSection(bytes, (id, content, section) => {
    const changed = change(id, content)
    if (changed) parts.push(Uint8Array.of(id, ...writeNumber(getSize(changed))), ...changed)
    else parts.push(section)
  })
  return concatBytes(parts)
}

/** @param visit - gets a section also with its id and its size */
export function forEachSection(
  bytes: Uint8Array,
  visit: (id: number, content: Uint8Array, section: Uint8Array) => void,
): void {
  for (let at = HEADER_BYTES; at < bytes.length;) {
    const [size, start] = readNumber(bytes, at + 1)
    const end = start + size
    visit(bytes[at]!, bytes.subarray(start, end), bytes.subarray(at, end))
    at = end
  }
}

/** Returns a vector with more items at its end. */
export function addItems(vector: Uint8Array, ...items: Uint8Array[]): Uint8Array[] {
  const [count, start] = readNumber(vector, 0)
  return [writeNumber(count + items.length), vector.subarray(start), ...items]
}

export const getSize = (parts: readonly Uint8Array[]): number => parts.reduce((sum, { length }) => sum + length, 0)

/** Reads an unsigned LEB128. Returns it and the place behind it. Where the binary ends too early, it reads zeros: WebAssembly refuses the rest. */
export function readNumber(bytes: Uint8Array, at: number): [value: number, end: number] {
  let value = 0
  for (let shift = 0; ; shift += 7) {
    const byte = bytes[at++] ?? 0
    value |= (byte & 127) << shift
    if (byte < 128) return [value >>> 0, at]
  }
}

export function writeNumber(value: number): Uint8Array {
  const bytes: number[] = []
  for (; value >= 128; value >>>= 7) bytes.push((value & 127) | 128)
  return Uint8Array.of(...bytes, value)
}
