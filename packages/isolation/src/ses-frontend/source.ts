// From a frontend's file to a text that runs in a Compartment. A script is one file, without import and export: what is
// wrong with it is said here, before anything runs.
import { readFile } from 'node:fs/promises'
import { basename } from 'node:path'
import { fileURLToPath } from 'node:url'
import { types } from 'node:util'
import { Script } from 'node:vm'
import { BusError, type BusErrorReason, describeThrown, ERROR_CODES } from '@sallyport/protocol'
import { explainRefusal } from '../sandbox/diagnostics.js'

/** In UTF-16 code units. */
const MAX_SCRIPT: number = 16 * 2 ** 20

/** How stacks name a script, with what follows: they show no path. */
const SCRIPT_ORIGIN = 'script:'

export interface ScriptSource {
  /** For error texts: a path, or `data:…`. */
  readonly place: string
  readonly text: string
  /** An expression that runs the script, and gives a promise. */
  readonly program: string
}

/** @throws BusError `InvalidParams` that names the file, and the line where there is one */
export async function readScript(url: string): Promise<ScriptSource> {
  const place = url.startsWith('file:') ? fileURLToPath(url) : 'data:…'
  const text = (await getText(url, place)).replace(/^\uFEFF/, '')
  if (text.length > MAX_SCRIPT) fail(place, `it is longer than ${MAX_SCRIPT} characters`)
  const name = url.startsWith('file:') ? basename(place) : 'inline'
  // In an async function, as a module's top level is one: on the script's own first line, so that lines stay.
  const program = `(async () => {${text}\n})()\n//# sourceURL=${SCRIPT_ORIGIN}${encodeURI(name)}`
  check(program, place)
  return { place, text, program }
}

/** What SES has refused to run, in words; `undefined` for whatever else a script throws. */
export function explainRefused(thrown: unknown, place: string): BusError | undefined {
  const message = thrown instanceof SyntaxError ? describeThrown(thrown) : ''
  const refusal = explainRefusal(message, line => `line ${line}`)
  return refusal === undefined ? undefined : getProblem(place, refusal)
}

async function getText(url: string, place: string): Promise<string> {
  if (url.startsWith('file:')) {
    return readFile(new URL(url), 'utf8').catch((cause: Error) => fail(place, `it can't be read: ${cause.message}`))
  }
  const [, base64, data = ''] =
    /^data:[^,]*?(;base64)?,([^#]*)/.exec(url) ?? fail(url, 'it has to be a file or a data: URL')
  return base64 === undefined ? decodeURIComponent(data) : Buffer.from(decodeURIComponent(data), 'base64').toString()
}

const MODULE_SYNTAX = /import statement outside|'import\.meta' outside|Unexpected token 'export'/

function check(program: string, place: string): void {
  try {
    // Compiled, not run. Strict, as in the Compartment.
    new Script(`'use strict';${program}`, { filename: place })
  } catch (error) {
    const { message, stack = '' } = error as Error
    const line = stack.startsWith(`${place}:`) ? /^\d+/.exec(stack.slice(place.length + 1))?.[0] : undefined
    if (MODULE_SYNTAX.test(message)) fail(place, IS_MODULE, line)
    fail(place, `it is no script: ${message}`, line)
  }
}

const IS_MODULE =
  "it has import or export, and a script of sandbox: 'ses' is one file without them. Bundle it: " +
  'esbuild <file> --bundle --format=esm --alias:@sallyport/frontend=@sallyport/frontend/script (see docs/security.md)'

function fail(place: string, problem: string, line?: string): never {
  throw getProblem(line === undefined ? place : `${place}:${line}`, problem)
}

const getProblem = (place: string, problem: string): BusError =>
  new BusError('InvalidParams', `Frontend script ${place}: ${problem}`)

// What a script sees of errors, and what the host sees of a script's. Neither may carry more than text, and what everybody
// shares and nobody can change.

interface Frame {
  getScriptNameOrSourceURL(): unknown
  toString(): string
}

/** After lockdown: stacks have the frames of scripts, and none of this thread's own, which would tell its paths. */
export function hideFrames(): void {
  Error.prepareStackTrace = (error, frames: unknown) => {
    const own = (frames as Frame[]).filter(frame => String(frame.getScriptNameOrSourceURL()).startsWith(SCRIPT_ORIGIN))
    return [describeError(error), ...own.map(frame => `    at ${frame.toString()}`)].join('\n')
  }
}

/** What the client threw, as a script may see it. */
export function toScriptError(thrown: unknown): unknown {
  if (!(thrown instanceof Error) || isSafe(thrown)) return thrown
  if (!(thrown instanceof BusError)) return new BusError('InternalError', describeThrown(thrown))
  return new BusError(thrown.reason, thrown.message, { data: thrown.data })
}

/** All that it inherits from is frozen, and its cause's too: not so what is of Node's own making. */
function isSafe(thrown: unknown): boolean {
  if (typeof thrown !== 'object' || thrown === null) return typeof thrown !== 'function'
  for (let at: object | null = Object.getPrototypeOf(thrown); at !== null; at = Object.getPrototypeOf(at)) {
    if (!Object.isFrozen(at)) return false
  }
  return !('cause' in thrown) || isSafe(thrown.cause)
}

const MAX_TEXT = 8192

/** An error for the host, of whatever a script threw: its texts alone. No method of a script's gets anything of this thread's. */
export function toFault(thrown: unknown): Error {
  const message = describeThrown(thrown).slice(0, MAX_TEXT)
  const reason = read(thrown, 'reason') as BusErrorReason
  const known = thrown instanceof BusError && Object.hasOwn(ERROR_CODES, reason)
  const fault = known ? new BusError(reason, message) : new Error(message)
  const stack = types.isNativeError(thrown) ? read(thrown, 'stack') : undefined
  fault.stack = typeof stack === 'string' ? stack.slice(0, MAX_TEXT) : message
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
