// Reads a frontend's script into a program for a Compartment, and passes errors into and out of it. A script is one file without import
// and export; mistakes are reported before anything runs.
import { types } from 'node:util'
import type { ModuleText } from '@sallyport/protocol/internal/contract'
import {
  BusError,
  type BusErrorReason,
  describeThrown,
  ERROR_CODES,
  isBusError,
} from '@sallyport/protocol/internal/errors'
import { findBodyError } from '@sallyport/protocol/internal/util'
import { explainRefusal } from '../compartment/diagnostics.js'
import { createScriptError, readScriptText } from '../shared/script-text.js'
import { replaceImports } from './script-imports.js'

/** Limit of the texts of an error, in UTF-16 code units. */
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
  const { name, place, text: source } = await readScriptText(url, module, content)
  const origin = `${SCRIPT_ORIGIN}${encodeURI(name)}`
  const { before = '', after = '' } = module?.wrapper ?? {}
  const { declaration, text } = replaceImports(`${before}${source}`)
  // An async function, because a script can use `await` at its top level, like a module. It keeps the script's line numbers.
  const start = `(async () => {${declaration}`
  const program = `${start}${text}${after}\n})()\n//# sourceURL=${origin}`
  const offset = start.length + before.length
  // The code is parsed alone, because it must not end what it is pasted into.
  const error = module?.wrapper ? findBodyError(source) : findBodyError(declaration + text, declaration.length)
  if (error) {
    const problem = MODULE_SYNTAX.test(error.message) ? IS_MODULE : `it is not a script: ${error.message}`
    throw createScriptError(`${place}${error.position}`, problem)
  }
  return { origin, place, text: source, program, offset }
}

/** Explains why SES has refused to run a script. Returns `undefined` for any other error. */
export function explainRejectedScript(thrown: unknown, place: string): BusError | undefined {
  const message = thrown instanceof SyntaxError ? describeThrown(thrown) : ''
  const refusal = explainRefusal(message, line => `line ${line}`)
  return refusal === undefined ? undefined : createScriptError(place, refusal)
}

const MODULE_SYNTAX = /import statement outside|'import\.meta' outside|Unexpected token 'export'/

const IS_MODULE =
  "it has import or export, but a script of sandbox: 'ses' is one file, which imports only @sallyport/frontend. Bundle it: " +
  'esbuild <file> --bundle --format=esm --alias:@sallyport/frontend=@sallyport/frontend/script'

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
  if (!isBusError(thrown)) return new BusError('Crashed', describeThrown(thrown))
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
