// Reads a frontend's script into a program for a Compartment, and passes errors into and out of it. A script is one file without import
// and export; mistakes are reported before anything runs.
import { readFile } from 'node:fs/promises'
import { basename } from 'node:path'
import { fileURLToPath } from 'node:url'
import { types } from 'node:util'
import {
  BusError,
  type BusErrorReason,
  describeThrown,
  ERROR_CODES,
  isBusError,
  type ModuleText,
} from '@sallyport/protocol/internal'
import { explainRefusal, findSyntaxError } from '../sandbox/diagnostics.js'
import { replaceImports } from './script-imports.js'

/** Limits of a script, and of the texts of an error, in UTF-16 code units. */
const MAX_SCRIPT_LENGTH: number = 16 * 2 ** 20
const MAX_ERROR_LENGTH = 8192

/** Prefix of a script's name in stacks, which contain no path. */
const SCRIPT_ORIGIN = 'script:'

export interface ScriptSource {
  /** The script's name in stacks. */
  readonly origin: string
  /** The script's name in error texts: a path, or `data:…`. */
  readonly place: string
  readonly text: string
  /** An expression that runs the script, and evaluates to a promise. */
  readonly program: string
  /** Characters in front of the script in the first line of the program. */
  readonly offset: number
}

/** @throws {BusError} `InvalidParams` that names the file, and the line if it is known */
export async function readScript(url: string, module?: ModuleText, content?: string): Promise<ScriptSource> {
  const place = module?.name ?? (url.startsWith('file:') ? fileURLToPath(url) : 'data:…')
  const source = module?.text ?? (content ?? (await readText(url, place))).replace(/^\uFEFF/, '').replace(/^#!/, '//')
  if (source.length > MAX_SCRIPT_LENGTH) fail(place, `it is longer than ${MAX_SCRIPT_LENGTH} characters`)
  const name = module?.name ?? (url.startsWith('file:') ? basename(place) : 'inline')
  const origin = `${SCRIPT_ORIGIN}${encodeURI(name)}`
  const { before = '', after = '' } = module?.wrapper ?? {}
  const { declaration, text } = replaceImports(`${before}${source}`)
  // An async function, because a script can use `await` at its top level, like a module. It keeps the script's line numbers.
  const start = `(async () => {${declaration}`
  const program = `${start}${text}${after}\n})()\n//# sourceURL=${origin}`
  const offset = start.length + before.length
  const error = findSyntaxError(program, place, 1, offset)
  if (error) fail(error.place, MODULE_SYNTAX.test(error.message) ? IS_MODULE : `it is not a script: ${error.message}`)
  return { origin, place, text: source, program, offset }
}

/** Explains why SES has refused to run a script. Returns `undefined` for any other error. */
export function explainRejectedScript(thrown: unknown, place: string): BusError | undefined {
  const message = thrown instanceof SyntaxError ? describeThrown(thrown) : ''
  const refusal = explainRefusal(message, line => `line ${line}`)
  return refusal === undefined ? undefined : createError(place, refusal)
}

async function readText(url: string, place: string): Promise<string> {
  if (url.startsWith('file:')) {
    return readFile(new URL(url), 'utf8').catch((cause: Error) => fail(place, `it cannot be read: ${cause.message}`))
  }
  const [, base64, data = ''] =
    /^data:[^,]*?(;base64)?,([^#]*)/.exec(url) ?? fail(url, 'it must be a file: or data: URL')
  return base64 === undefined ? decodeURIComponent(data) : Buffer.from(decodeURIComponent(data), 'base64').toString()
}

const MODULE_SYNTAX = /import statement outside|'import\.meta' outside|Unexpected token 'export'/

const IS_MODULE =
  "it has import or export, but a script of sandbox: 'ses' is one file, which imports only @sallyport/frontend. Bundle it: " +
  'esbuild <file> --bundle --format=esm --alias:@sallyport/frontend=@sallyport/frontend/script'

function fail(place: string, problem: string): never {
  throw createError(place, problem)
}

const createError = (place: string, problem: string): BusError =>
  new BusError('InvalidParams', `Frontend script ${place}: ${problem}`)

// Errors that cross the border between a script and this thread contain only text, and frozen objects that both sides share.

/** The position in a frame of the first line. */
const FIRST_LINE = /(?<=script:[^:]*):1:(\d+)(?=\)?$)/

interface Frame {
  getScriptNameOrSourceURL(): unknown
  toString(): string
}

/** The offset of each script of this thread, which is not a part of the columns in its first line. */
const offsets = new Map<string, number>()

/** Removes this thread's own frames from stacks, because they contain paths. Must be called after lockdown. */
export function hideFrames({ origin, offset: scriptOffset }: ScriptSource): void {
  const isFirst = offsets.size === 0
  offsets.set(origin, scriptOffset)
  // The property is frozen with the first script.
  if (!isFirst) return
  Error.prepareStackTrace = (error, frames: unknown) => {
    const scriptFrames = (frames as Frame[]).filter(frame =>
      String(frame.getScriptNameOrSourceURL()).startsWith(SCRIPT_ORIGIN),
    )
    const lines = scriptFrames.map(frame => {
      const offset = offsets.get(String(frame.getScriptNameOrSourceURL())) ?? 0
      return `    at ${frame.toString().replace(FIRST_LINE, (_, column) => `:1:${Math.max(1, column - offset)}`)}`
    })
    return [describeError(error), ...lines].join('\n')
  }
}

export function toScriptError(thrown: unknown): unknown {
  if (!(thrown instanceof Error) || isSafe(thrown)) return thrown
  if (!isBusError(thrown)) return new BusError('InternalError', describeThrown(thrown))
  return new BusError(thrown.reason, thrown.message, { data: thrown.data })
}

/** Returns true if all prototypes of a value and of its cause are frozen. Those of errors that Node itself throws are not. */
function isSafe(thrown: unknown): boolean {
  if (typeof thrown !== 'object' || thrown === null) return typeof thrown !== 'function'
  let prototype: object | null = Object.getPrototypeOf(thrown)
  for (; prototype !== null; prototype = Object.getPrototypeOf(prototype)) {
    if (!Object.isFrozen(prototype)) return false
  }
  return !('cause' in thrown) || isSafe(thrown.cause)
}

/** Converts a value that a script threw to an error for the host. Only strings are copied, and methods of the script get no arguments. */
export function toFault(thrown: unknown): Error {
  const message = describeThrown(thrown).slice(0, MAX_ERROR_LENGTH)
  const reason = read(thrown, 'reason')
  const isKnown = isBusError(thrown) && typeof reason === 'string' && Object.hasOwn(ERROR_CODES, reason)
  const fault = isKnown ? new BusError(reason as BusErrorReason, message) : new Error(message)
  const stack = types.isNativeError(thrown) ? read(thrown, 'stack') : undefined
  fault.stack = typeof stack === 'string' ? stack.slice(0, MAX_ERROR_LENGTH) : message
  return fault
}

function read(thrown: unknown, key: string): unknown {
  try {
    return (thrown as Record<string, unknown> | null)?.[key]
  } catch {
    return undefined
  }
}

function describeError(error: unknown): string {
  try {
    return String(error)
  } catch {
    return 'Error'
  }
}
