// A module in TypeScript does not load on a Node that runs none: what Node says of it speaks of a file extension.
import { BusError } from './error.js'

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
