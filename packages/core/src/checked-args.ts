// Holds the arguments of a call against its command's schema. What is wrong is told in Tauri's words: the first argument in
// the text, all of them in `data.issues`.
import { BusError, isUint8Array } from '@sallyport/protocol'
import type { StandardSchemaV1 } from '@standard-schema/spec'
import type { Runnable } from './call.js'
import { invalidArgument, shortName, whyMissing } from './invalid-args.js'

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
