// Explains that this Node does not run TypeScript.
import { BusError } from './bus-error.js'

const UNKNOWN_EXTENSION = /^Unknown file extension "(\.[cm]?tsx?)" for (.+)$/

/** Explains that this Node does not run TypeScript; Node itself only mentions a file extension. Returns other errors unchanged. */
export function explainTypeScript(error: unknown): unknown {
  if ((error as { code?: unknown } | null)?.code !== 'ERR_UNKNOWN_FILE_EXTENSION') return error
  const [, extension, path] = UNKNOWN_EXTENSION.exec(String((error as Error).message)) ?? []
  if (extension === undefined) return error
  const remedy = extension.endsWith('x') ? 'build it first' : 'build it first, or use Node 22.18 or later'
  const text = `Node ${process.versions.node} cannot run ${path}: ${remedy}`
  return new BusError('InvalidParams', text, { cause: error })
}
