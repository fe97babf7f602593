// The timestamp of MessagePack's specification, in its three lengths: whole seconds in 4 bytes, until the year 2514 in 8, and
// any other time in 12. A date that is none has 1.
import type { Output } from './msgpack-output.js'

export const TIMESTAMP_EXTENSION = 0xff

export function writeDate(out: Output, date: Date): void {
  const time = Date.prototype.getTime.call(date)
  const seconds = Math.floor(time / 1000)
  const nanoseconds = (time - seconds * 1000) * 1e6
  if (nanoseconds === 0 && seconds >= 0 && seconds < 2 ** 32) {
    out.head(0xd6, 1, TIMESTAMP_EXTENSION)
    out.view.setUint32(out.at, seconds)
    out.at += 4
  } else if (seconds >= 0 && seconds < 2 ** 34) {
    out.head(0xd7, 1, TIMESTAMP_EXTENSION)
    out.view.setUint32(out.at, nanoseconds * 4 + Math.floor(seconds / 2 ** 32))
    out.view.setUint32(out.at + 4, seconds)
    out.at += 8
  } else if (Number.isNaN(time)) {
    out.head(0xd4, 1, TIMESTAMP_EXTENSION)
    out.byte(0xff)
  } else {
    out.head(0xc7, 1, 12)
    out.byte(TIMESTAMP_EXTENSION)
    out.view.setUint32(out.at, nanoseconds)
    out.view.setBigInt64(out.at + 4, BigInt(seconds))
    out.at += 12
  }
}

/** Fractions of a millisecond are dropped; what is no time is an invalid date. */
export function readDate(view: DataView, at: number, length: number): Date {
  if (length === 4) return new Date(view.getUint32(at) * 1000)
  if (length === 8) {
    const [upper, lower] = [view.getUint32(at), view.getUint32(at + 4)]
    return new Date(((upper % 4) * 2 ** 32 + lower) * 1000 + Math.floor(upper / 4) / 1e6)
  }
  if (length === 12) return new Date(Number(view.getBigInt64(at + 4)) * 1000 + view.getUint32(at) / 1e6)
  return new Date(Number.NaN)
}
