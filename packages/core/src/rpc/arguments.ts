// Arguments that are wrong, in Tauri's words: its clients know these texts.
import { BusError, describeName, isUint8Array } from '@sallyport/protocol'
import type { StandardSchemaV1 } from '@standard-schema/spec'
import type { Runnable } from './call.js'

/** A command's name as Tauri's texts have it: of a plugin's without the plugin. */
export const shortName = (method: string): string =>
  method.slice(method.startsWith('plugin:') ? method.indexOf('|') + 1 : 0)

const quoted = (name: string): string => `\`${describeName(name).slice(1, -1)}\``

/** @param data `{ issues }` of a schema, where there is one */
export function invalidArgument(method: string, key: string, why: string, data?: unknown): BusError {
  const text = `invalid args ${quoted(key)} for command ${quoted(shortName(method))}: ${why}`
  return new BusError('InvalidParams', text, data === undefined ? {} : { data })
}

/** Why there is no value for a key: it is missing, or the whole call is bytes. */
export function whyMissing(method: string, key: string, args: unknown): string {
  const name = shortName(method)
  if (isUint8Array(args)) return `command ${name} expected a value for key ${key} but the IPC call used a bytes payload`
  return `command ${name} missing required key ${key}`
}

/** Named arguments of a command of core's own; none of bytes. */
export type NamedArguments = Readonly<Record<string, unknown>>

/** @throws BusError `InvalidParams` */
export function getString(method: string, args: NamedArguments, key: string): string {
  const value = args[key]
  if (typeof value === 'string') return value
  throw mistyped(method, args, key, 'a string')
}

/** @throws BusError `InvalidParams` */
export function getOptionalString(method: string, args: NamedArguments, key: string): string | undefined {
  const value = args[key]
  return value === undefined || value === null ? undefined : getString(method, args, key)
}

/** @throws BusError `InvalidParams` */
export function getStrings(method: string, args: NamedArguments, key: string): readonly string[] {
  const value = args[key]
  if (Array.isArray(value) && value.every(item => typeof item === 'string')) return value
  throw mistyped(method, args, key, 'a sequence of strings')
}

/** @throws BusError `InvalidParams` */
export function getCount(method: string, args: NamedArguments, key: string): number {
  const value = args[key]
  if (Number.isSafeInteger(value) && (value as number) >= 0) return value as number
  throw mistyped(method, args, key, 'u32')
}

function mistyped(method: string, args: NamedArguments, key: string, expected: string): BusError {
  const value = args[key]
  const why =
    value === undefined ? whyMissing(method, key, args) : `invalid type: ${getKind(value)}, expected ${expected}`
  return invalidArgument(method, key, why)
}

/** In serde's words, as Tauri's errors have them. */
function getKind(value: unknown): string {
  if (value === null) return 'null'
  if (Array.isArray(value)) return 'sequence'
  if (typeof value === 'string') return `string ${describeName(value)}`
  if (typeof value === 'number') return `${Number.isInteger(value) ? 'integer' : 'floating point'} \`${value}\``
  return typeof value === 'boolean' ? `boolean \`${value}\`` : 'map'
}

// Holds the arguments of a call against its command's schema. What is wrong is told in Tauri's words: the first argument in
// the text, all of them in `data.issues`.

/** `run`, with what the schema gives in place of the arguments that came. */
export function checked(method: string, schema: StandardSchemaV1, run: Runnable['run']): Runnable['run'] {
  const validate = (value: unknown): ReturnType<StandardSchemaV1['~standard']['validate']> =>
    schema['~standard'].validate(value)

  const refuse = (args: unknown, issues: Issues): Promise<never> => {
    if (isUint8Array(args)) return refuseBytes(args, issues)
    throw invalid(method, args, issues)
  }

  /** Bytes have no names: which argument is missing is what the schema says of no arguments at all. */
  const refuseBytes = async (bytes: Uint8Array, issues: Issues): Promise<never> => {
    const named = (await validate({})).issues ?? []
    throw invalid(method, bytes, named.length > 0 ? named : issues)
  }

  return (args, ctx) => {
    const result = validate(args)
    if (!('then' in result)) return result.issues ? refuse(args, result.issues) : run(result.value, ctx)
    return Promise.resolve(result).then(later => (later.issues ? refuse(args, later.issues) : run(later.value, ctx)))
  }
}

type Issues = readonly StandardSchemaV1.Issue[]

function invalid(method: string, args: unknown, given: Issues): BusError {
  const issues = given.map(({ message, path }) => ({
    message,
    path: (path ?? []).map(part => String(typeof part === 'object' ? part.key : part)),
  }))
  const { path, message } = issues[0] ?? { path: [], message: 'the schema refuses them' }
  const [key, ...deeper] = path
  if (key === undefined) {
    return new BusError('InvalidParams', `invalid args for command \`${shortName(method)}\`: ${message}`, {
      data: { issues },
    })
  }
  const missing = deeper.length === 0 && isMissing(args, key)
  return invalidArgument(method, path.join('.'), missing ? whyMissing(method, key, args) : message, { issues })
}

const isMissing = (args: unknown, key: string): boolean =>
  isUint8Array(args) || !Object.hasOwn(args as object, key) || (args as Record<string, unknown>)[key] === undefined
