// What a caller is told of an error. A handler's own value goes to its caller as it is; of an Error only the message goes,
// and of Node's own errors nothing that may name a path.
import { getSystemErrorMap } from 'node:util'
import { BusError, describeCommand, describeThrown, isBusError } from './bus-error.js'
import { type CommandError, isThrownByCommand } from './command-error.js'

/** The error that answers a call of `method` whose handler threw `thrown`. */
export function toBusError(method: string, thrown: unknown): BusError {
  const failed = `${describeCommand(method)} failed`
  try {
    if (isBusError(thrown)) return thrown
    if (isThrownByCommand(thrown)) return failureWithCode(thrown)
    const value = thrown instanceof Error ? getMessage(thrown) : thrown
    return new BusError('CommandFailed', typeof value === 'string' ? value : failed, { data: value ?? null })
  } catch {
    // A proxy or a getter that throws when it is looked at.
    return new BusError('CommandFailed', failed, { data: null })
  }
}

/** An Error as its data is told of as one that is thrown. */
function failureWithCode({ code, message: given, data: kept }: CommandError): BusError {
  const message = String(given)
  const data = kept instanceof Error ? getMessage(kept) : kept
  return new BusError('CommandFailed', message, { data: { code, message, ...(data !== undefined && { data }) } })
}

/** `ENOENT: no such file or directory, open '/etc/secret'` without what was opened; of loading a module the code alone. */
function getMessage(error: Error & { code?: unknown; errno?: unknown }): string {
  const { code, errno } = error
  const message = describeThrown(error)
  // Of a program that was run, Node's message is its whole command line.
  if ('spawnargs' in error || ('cmd' in error && 'killed' in error) || ('pid' in error && 'status' in error))
    return 'Command failed'
  if (typeof code !== 'string') return message
  if (typeof errno === 'number') return `${code}: ${getSystemErrorMap().get(errno)?.[1] ?? 'the system refused'}`
  return /^(ERR_|MODULE_)/.test(code) && /[\\/]/.test(message) ? code : message
}

// A module in TypeScript does not load on a Node that runs none: what Node says of it speaks of a file extension.

const UNKNOWN = /^Unknown file extension "(\.[cm]?tsx?)" for (.+)$/

/** Other errors are given back as they are. */
export function explainTypeScript(error: unknown): unknown {
  if ((error as { code?: unknown } | null)?.code !== 'ERR_UNKNOWN_FILE_EXTENSION') return error
  const [, extension, path] = UNKNOWN.exec(String((error as Error).message)) ?? []
  if (extension === undefined) return error
  const remedy = extension.endsWith('x') ? 'build it first' : 'build it first, or use Node 22.18 or later'
  const text = `Node ${process.versions.node} can’t run ${path}: ${remedy} (docs/typescript.md)`
  return new BusError('InvalidParams', text, { cause: error })
}
