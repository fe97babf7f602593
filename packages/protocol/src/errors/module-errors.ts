// Errors of modules that Node loads: the first file of their stack, and what to do about TypeScript.
import { relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { BusError } from './bus-error.js'
import { parseForeignUrl } from '../util/foreign-url.js'
import { readStack } from '../util/type-guards.js'
import { isInternalFrame } from './caller-stack.js'

/** `file:///app/main.mjs:4:53`, a path, or the name of code as text: `run.js:2:6`. */
const PLACE =
  /^(?:\[cause\]: | {4}at (?:.*\()?)?((?:file:\/\/|\/|[A-Za-z]:\\)[^()\n]*?|[\w.-]+\.[cm]?[jt]s)((?::\d+){1,2})\)?$/gm

/**
 * Returns the first file of a stack that is not this library's, relative to the working directory if it is below it: `src/main.mjs:4:53`.
 * Returns '' if there is none.
 */
export function findPlace(error: unknown): string {
  for (const [frame, file = '', line = ''] of readStack(error).matchAll(PLACE)) {
    if (isInternalFrame(frame)) continue
    const path = file.startsWith('file:') ? toPath(file) : file
    if (path === undefined) return `${file}${line}`
    return `${toShort(path)}${line}`
  }
  return ''
}

function toShort(path: string): string {
  try {
    const short = relative(process.cwd(), path)
    return short.startsWith('..') ? path : short
  } catch {
    return path // The working directory was removed.
  }
}

/** Returns the path of a URL. A frontend can forge the stack, and a URL such as `file://host/` has no path. */
function toPath(url: string): string | undefined {
  try {
    return fileURLToPath(parseForeignUrl(url) ?? '')
  } catch {
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
