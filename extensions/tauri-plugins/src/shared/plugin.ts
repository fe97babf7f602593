// Plugins with the permissions of Tauri's, and commands that have handlers alone: callers can send them anything.
import { isAbsolute } from 'node:path'
import { fileURLToPath } from 'node:url'
import {
  type Channel,
  type CommandContext,
  plugin,
  type Plugin,
  type PluginDefinition,
  type Resources,
} from '@sallyport/core'
import { getPermissionFile } from './permissions.js'
import { isObject, type OptionCheck, type PathScopeEntries } from '@sallyport/paths/internal'

type Definition = PluginDefinition<Readonly<Record<string, (args: Args, ctx: CommandContext) => unknown>>>

/** Defines the plugin of Tauri that has this name. */
export const createPlugin = <const Name extends string>(
  name: Name,
  { permissions = [], ...definition }: Definition,
): Plugin<Name> => plugin(name, { ...definition, permissions: [getPermissionFile(name), ...permissions] })

/** Returns what lives as long as the calling frontend, over its restarts. Its label can be that of another one later. */
export const getLife = (ctx: CommandContext): object => (ctx as { life?: object }).life ?? ctx.resources

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

export function getOptionalObject(args: Args, name: string): Args {
  const value = args[name] ?? {}
  if (isObject(value)) return value
  throw invalidArg(name, `expected an object, got ${describe(value)}`)
}

export const isChannel = <T>(value: unknown): value is Channel<T> =>
  isObject(value) && typeof value['send'] === 'function'

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

/** The longest delay of a timer, in milliseconds. */
export const MAX_DELAY_MS: number = 2 ** 31 - 1

export const POSITIVE: OptionCheck = [value => isInteger(value, 1), 'a positive integer']
export const DELAY: OptionCheck = [
  value => isInteger(value, 1, MAX_DELAY_MS),
  `milliseconds, from 1 to ${MAX_DELAY_MS}`,
]
export const DIRECTORY: OptionCheck = [
  value =>
    value instanceof URL
      ? value.protocol === 'file:' && value.host === ''
      : typeof value === 'string' && isAbsolute(value),
  'an absolute path or a file: URL',
]

/** Returns the path of a `DIRECTORY`. */
export const toDirectory = (value: string | URL | undefined): string | undefined =>
  value instanceof URL ? fileURLToPath(value) : value

/** Returns the caller's resource that the argument `rid` names. @throws {BusError} InvalidParams, `The resource id N is invalid.` */
export const getResource = <T extends object>(
  { rid }: Args,
  { resources }: Pick<CommandContext, 'resources'>,
  type: abstract new (...args: never[]) => T,
): T => resources.get(typeof rid === 'number' ? rid : -1, type)

/** Adds a resource, and returns its number. Closes it if the frontend is gone, or has too many. @throws {BusError} Disconnected or Overloaded */
export function addResource(resources: Resources, resource: { close(): unknown }): number {
  try {
    return resources.add(resource)
  } catch (error) {
    // Its error would hide the reason.
    void (async () => resource.close())().catch(() => {})
    throw error
  }
}

export function forgetResource(resources: Resources, rid: number): void {
  if (resources.has(rid)) resources.take(rid)
}

export const getEntries = ({ allow, deny, global }: CommandContext['scope']): PathScopeEntries => ({
  allow: [...allow, ...global.allow],
  deny: [...deny, ...global.deny],
})
