// A second reader of MessagePack, written from the specification and for clarity alone. The codec must read the same values.

/** Stands for a string of invalid UTF-8, which readers replace differently, and for a map with such a key. */
const ANYTHING = Symbol('anything')

export function readMsgpack(bytes: Uint8Array): unknown {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  let at = 0

  const take = (length: number): Buffer => {
    if (at + length > buffer.length) throw new Error('cut short')
    return buffer.subarray(at, (at += length))
  }
  const uint = (size: number): number => take(size).readUIntBE(0, size)
  const text = (length: number): unknown => {
    const read = take(length)
    const decoded = read.toString('utf8')
    return Buffer.from(decoded).equals(read) ? decoded : ANYTHING
  }
  const array = (length: number): unknown[] => Array.from({ length }, () => value())
  const map = (length: number): unknown => {
    const entries = Array.from({ length }, () => [value(), value()] as const)
    if (entries.some(([key]) => key === ANYTHING)) return ANYTHING
    return Object.fromEntries(entries.map(([key, inner]) => [String(key), inner]))
  }
  const extension = (length: number): unknown => {
    const type = uint(1)
    const data = take(length)
    if (type === 0) return undefined
    if (type !== 0xff) throw new Error(`extension ${type}`)
    return data.length === 4 ? new Date(data.readUInt32BE() * 1000) : ANYTHING
  }

  function value(): unknown {
    const token = uint(1)
    if (token < 0x80) return token
    if (token < 0x90) return map(token & 0xf)
    if (token < 0xa0) return array(token & 0xf)
    if (token < 0xc0) return text(token & 0x1f)
    if (token >= 0xe0) return token - 0x100
    const readers: (() => unknown)[] = [
      () => null,
      () => {
        throw new Error('never used')
      },
      () => false,
      () => true,
      ...[1, 2, 4].map(size => () => new Uint8Array(take(uint(size)))),
      ...[1, 2, 4].map(size => () => extension(uint(size))),
      () => take(4).readFloatBE(),
      () => take(8).readDoubleBE(),
      ...[1, 2, 4].map(size => () => uint(size)),
      () => take(8).readBigUInt64BE(),
      () => take(1).readInt8(),
      () => take(2).readInt16BE(),
      () => take(4).readInt32BE(),
      () => take(8).readBigInt64BE(),
      ...[1, 2, 4, 8, 16].map(size => () => extension(size)),
      ...[1, 2, 4].map(size => () => text(uint(size))),
      ...[2, 4].map(size => () => array(uint(size))),
      ...[2, 4].map(size => () => map(uint(size))),
    ]
    return readers[token - 0xc0]!()
  }

  const read = value()
  if (at !== buffer.length) throw new Error('bytes are left')
  return read
}

/** Returns whether `actual` equals `expected`, in which `ANYTHING` equals any value. */
export function sameStructure(expected: unknown, actual: unknown): boolean {
  if (expected === ANYTHING) return true
  if (typeof expected !== 'object' || expected === null) return Object.is(expected, actual)
  if (typeof actual !== 'object' || actual === null) return false
  if (Object.getPrototypeOf(expected) !== Object.getPrototypeOf(actual)) return false
  if (expected instanceof Date) return Object.is(expected.getTime(), (actual as Date).getTime())
  const keys = Object.keys(expected)
  if (keys.length !== Object.keys(actual).length) return false
  const [left, right] = [expected as Record<string, unknown>, actual as Record<string, unknown>]
  return keys.every(key => Object.hasOwn(right, key) && sameStructure(left[key], right[key]))
}
