// Texts about errors of Node and of codecs, for callers.
import { getSystemMessage, IS_NODE } from '#platform'
import { BusError, describeEmpty, describeThrown } from './bus-error.js'
import { RefusedValueError } from './refused-value-error.js'

/** Returns the message of an error without the path of `ENOENT: no such file or directory, open '/etc/secret'`. A failed import keeps its code only. */
export function getPublicMessage(error: Error & { code?: unknown; errno?: unknown }): string {
  if (!IS_NODE) return describeThrown(error)
  const message = error.message ? describeThrown(error) : describeEmpty(error, getPublicMessage)
  const { code, errno } = error
  // Node's message about a child process is its whole command line.
  if ('spawnargs' in error || ('cmd' in error && 'killed' in error) || ('pid' in error && 'status' in error))
    return 'Command failed'
  if (typeof code !== 'string') return message
  if (typeof errno === 'number') return `${code}: ${getSystemMessage(errno) ?? 'the system refused'}`
  return /^(ERR_|MODULE_)/.test(code) && /[\\/]/.test(message) ? code : message
}

/** Describes a codec's error. `JSON.stringify` does not say where a BigInt is, so this searches the value for it, and for what MessagePack refused. */
export function whyNotSerializable(cause: unknown, value: unknown): string {
  const why = describeThrown(cause)
  if (IS_NODE && cause instanceof RefusedValueError) {
    return `${findValue(value, each => each === cause.refused) || 'it'} ${why}`
  }
  const path = IS_NODE && why.includes('BigInt') ? findValue(value, each => typeof each === 'bigint') : undefined
  if (path === undefined) return why
  return `${path || 'it'} is a BigInt, which JSON cannot represent: pass a string, or choose codec: 'msgpack'`
}

/** For the `catch` of a function that passes options on. @throws the error, whose text begins with `own`, which the caller knows, in place of `other` */
export const throwAs =
  (other: string, own: string) =>
  (cause: unknown): never => {
    if (!(cause instanceof BusError && cause.message.startsWith(other))) throw cause
    throw new BusError(cause.reason, own + cause.message.slice(other.length), { data: cause.data, cause })
  }

const MAX_VISITED = 10_000

/** Returns the path of the first such value as JavaScript writes it, such as `user.ids[0]`. */
function findValue(root: unknown, isWanted: (value: unknown) => boolean): string | undefined {
  const seen = new Set<unknown>()
  const search = (value: unknown, path: string): string | undefined => {
    if (isWanted(value)) return path
    if (typeof value !== 'object' || value === null || seen.has(value) || seen.size > MAX_VISITED) return undefined
    seen.add(value)
    for (const [key, member] of Object.entries(value)) {
      const step = Array.isArray(value) ? `[${key}]` : path === '' ? key : `.${key}`
      const found = search(member, path + step)
      if (found !== undefined) return found
    }
    return undefined
  }
  try {
    return search(root, '')
  } catch {
    // A getter threw, or the nesting is too deep for the stack.
    return undefined
  }
}

const UNKNOWN_EXTENSION = /^Unknown file extension "(\.[cm]?tsx?)" for (.+)$/

/** Explains that this Node does not run TypeScript; Node itself only mentions a file extension. Returns other errors unchanged. */
export function explainTypeScript(error: unknown): unknown {
  if ((error as { code?: unknown } | null)?.code !== 'ERR_UNKNOWN_FILE_EXTENSION') return error
  const [, extension, path] = UNKNOWN_EXTENSION.exec(String((error as Error).message)) ?? []
  if (extension === undefined) return error
  const remedy = extension.endsWith('x')
    ? 'build it first'
    : 'build it first (loaders such as tsx do not reach into workers), or use Node 22.18 or later'
  const text = `Node ${process.versions.node} cannot run ${path}: ${remedy}. See the page "TypeScript" of the documentation`
  return new BusError('InvalidParams', text, { cause: error })
}
