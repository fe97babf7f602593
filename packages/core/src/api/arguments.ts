// Checks the arguments of a call against its command's schema. Error texts are Tauri's, because its clients know them.
import { BusError, describeName } from '@sallyport/protocol/internal/errors'
import { isUint8Array } from '@sallyport/protocol/internal/util'
import type { StandardSchemaV1 } from '@standard-schema/spec'
import { splitMethod } from '../acl/identifier.js'

const quote = (name: string): string => `\`${describeName(name).slice(1, -1)}\``

/** Creates the error of one argument. @param data the schema's `{ issues }` */
export function invalidArgument(method: string, key: string, why: string, data?: object): BusError {
  const text = `invalid args ${quote(key)} for command ${quote(splitMethod(method).name)}: ${why}`
  return new BusError('InvalidParams', text, { code: 'ARGUMENTS_INVALID', data })
}

/** Returns why a key has no value: it is missing, or the arguments are bytes. */
export function whyMissing(method: string, key: string, args: unknown): string {
  const { name } = splitMethod(method)
  if (isUint8Array(args)) return `command ${name} expected a value for key ${key} but the IPC call used a bytes payload`
  return `command ${name} missing required key ${key}`
}

/** Returns `run` behind a schema: it gets the schema's output as its arguments, or is not run. */
export function checkArguments<Context>(
  method: string,
  schema: StandardSchemaV1,
  run: (args: unknown, ctx: Context) => unknown,
): (args: unknown, ctx: Context) => unknown {
  const validate = (value: unknown): ReturnType<StandardSchemaV1['~standard']['validate']> =>
    schema['~standard'].validate(value)

  const refuse = (args: unknown, issues: Issues): Promise<never> => {
    if (isUint8Array(args)) return refuseBytes(args, issues)
    throw createSchemaError(method, args, issues)
  }

  /** Bytes have no names. The error names the argument that the schema misses first if there are no arguments at all. */
  const refuseBytes = async (bytes: Uint8Array, issues: Issues): Promise<never> => {
    const missing = (await validate({})).issues ?? []
    throw createSchemaError(method, bytes, missing.length > 0 ? missing : issues)
  }

  /** A result without a value lets nothing pass. */
  const settle = (result: StandardSchemaV1.Result<unknown>, args: unknown, ctx: Context): unknown =>
    'value' in result && !result.issues ? run(result.value, ctx) : refuse(args, result.issues ?? [])

  return (args, ctx) => {
    const result = validate(args)
    if (!('then' in result)) return settle(result, args, ctx)
    return Promise.resolve(result).then(later => settle(later, args, ctx))
  }
}

type Issues = readonly StandardSchemaV1.Issue[]

/** Creates the error of a call: the first issue is its text, and all issues are its data. */
function createSchemaError(method: string, args: unknown, schemaIssues: Issues): BusError {
  const issues = schemaIssues.map(({ message, path }) => ({
    message,
    path: (path ?? []).map(part => String(typeof part === 'object' ? part.key : part)),
  }))
  const { path, message } = issues[0] ?? { path: [], message: 'the schema rejected them' }
  const [key, ...deeper] = path
  if (key === undefined) {
    const text = `invalid args for command \`${splitMethod(method).name}\`: ${message}`
    return new BusError('InvalidParams', text, { code: 'ARGUMENTS_INVALID', data: { issues } })
  }
  const why = deeper.length === 0 && isMissing(args, key) ? whyMissing(method, key, args) : message
  return invalidArgument(method, path.join('.'), why, { issues })
}

const isMissing = (args: unknown, key: string): boolean =>
  isUint8Array(args) || !Object.hasOwn(args as object, key) || (args as Record<string, unknown>)[key] === undefined
