// Turns errors of third-party code into errors for a caller. A value that a handler throws reaches its caller unchanged. Only the
// message of an Error does, and nothing of Node's own errors that may hold a path.
import { BusError, describeCommand, isBusError } from './bus-error.js'
import { getPublicMessage } from './command-error.js'

/** Returns the error response to a call of `method` whose handler threw `thrown`. */
export function toBusError(method: string, thrown: unknown): BusError {
  const failed = `${describeCommand(method)} failed`
  try {
    if (isBusError(thrown)) return thrown
    const value = thrown instanceof Error ? getPublicMessage(thrown) : thrown
    return new BusError('CommandFailed', typeof value === 'string' ? value : failed, { data: value ?? null })
  } catch {
    // A proxy or a getter threw.
    return new BusError('CommandFailed', failed, { data: null })
  }
}

const UNKNOWN_EXTENSION = /^Unknown file extension "(\.[cm]?tsx?)" for (.+)$/

/** Explains that this Node does not run TypeScript; Node itself only mentions a file extension. Returns other errors unchanged. */
export function explainTypeScript(error: unknown): unknown {
  if ((error as { code?: unknown } | null)?.code !== 'ERR_UNKNOWN_FILE_EXTENSION') return error
  const [, extension, path] = UNKNOWN_EXTENSION.exec(String((error as Error).message)) ?? []
  if (extension === undefined) return error
  const remedy = extension.endsWith('x') ? 'build it first' : 'build it first, or use Node 22.18 or later'
  const text = `Node ${process.versions.node} cannot run ${path}: ${remedy} (docs/guide/typescript.md)`
  return new BusError('InvalidParams', text, { cause: error })
}
