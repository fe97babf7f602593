// Checks of arguments, with texts like those of Tauri's deserializer.

export type Args = Record<string, unknown>

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

/** Returns the object, or an empty one for a missing argument and for null. */
export function getOptionalObject(args: Args, name: string): Args {
  const value = args[name] ?? {}
  if (typeof value !== 'object' || Array.isArray(value))
    throw invalidArg(name, `expected an object, got ${describe(value)}`)
  return value as Args
}

function describe(value: unknown): string {
  if (value === undefined || value === null) return 'nothing'
  return Array.isArray(value) ? 'an array' : typeof value === 'object' ? 'an object' : `a ${typeof value}`
}
