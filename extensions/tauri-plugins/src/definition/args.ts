// Checks of arguments, with texts like those of Tauri's deserializer.

import type { Channel } from '@sallyport/core'

/** Arguments of a command, or members of one, which a caller can send in any form. */
export type Args = Readonly<Record<string, unknown>>

export const invalidArg = (name: string, why: string): Error => new Error(`invalid args \`${name}\`: ${why}`)

/** @param max - UTF-16 units */
export function getText(args: Args, name: string, max: number): string {
  const value = args[name]
  if (typeof value !== 'string') throw invalidArg(name, `expected a string, got ${describe(value)}`)
  if (value.length > max) throw invalidArg(name, `longer than ${max} characters`)
  return value
}

/** Returns `undefined` for a missing argument and for null. */
export const getOptionalText = (args: Args, name: string, max: number): string | undefined =>
  args[name] === undefined || args[name] === null ? undefined : getText(args, name, max)

export function getOptionalFlag(args: Args, name: string): boolean {
  const value = args[name] ?? false
  if (typeof value !== 'boolean') throw invalidArg(name, `expected a boolean, got ${describe(value)}`)
  return value
}

/** Returns `undefined` for a missing argument and for null. */
export function getOptionalInteger(args: Args, name: string): number | undefined {
  const value = args[name] ?? undefined
  if (value === undefined || isInteger(value)) return value
  throw invalidArg(name, 'expected an integer')
}

/** Returns the object, or an empty one for a missing argument and for null. */
export function getOptionalObject(args: Args, name: string): Args {
  const value = args[name] ?? {}
  if (isObject(value)) return value
  throw invalidArg(name, `expected an object, got ${describe(value)}`)
}

export const isObject = (value: unknown): value is Args =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** True for a channel of the caller. Its messages have any type. */
export const isChannel = <T>(value: unknown): value is Channel<T> =>
  isObject(value) && typeof value['send'] === 'function'

/** True for an integer that numbers represent exactly. */
export const isInteger = (
  value: unknown,
  min: number = Number.MIN_SAFE_INTEGER,
  max: number = Number.MAX_SAFE_INTEGER,
): value is number => Number.isSafeInteger(value) && (value as number) >= min && (value as number) <= max

/** Returns bytes from what guests send: bytes, or an array of numbers. Returns `undefined` for anything else. */
export function toBytes(data: unknown): Uint8Array | undefined {
  if (data instanceof Uint8Array) return data
  if (data instanceof ArrayBuffer) return new Uint8Array(data)
  if (!Array.isArray(data)) return undefined
  const bytes = new Uint8Array(data.length)
  for (let at = 0; at < data.length; at++) {
    const value: unknown = data[at]
    if (!isInteger(value, 0, 255)) return undefined
    bytes[at] = value
  }
  return bytes
}

function describe(value: unknown): string {
  if (value === undefined || value === null) return 'nothing'
  return Array.isArray(value) ? 'an array' : typeof value === 'object' ? 'an object' : `a ${typeof value}`
}
