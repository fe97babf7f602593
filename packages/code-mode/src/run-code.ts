// Runs code with tools on a bus, and says how it ended in words that all frameworks have.
import { type Bus, isBusError, type RunError, type RunLimits, type RunOptions } from '@sallyport/core'
import * as nodeModule from 'node:module'
import { Script } from 'node:vm'
import { createBridge, type ToolGroup, writeGlobals } from './tool-globals.js'

/** Options of `bus.run` for each run of code, such as `sandbox`, `allow` and `timeout`. */
export interface CodeModeOptions extends Omit<RunOptions, 'args' | 'functions'> {
  /** Any sandbox of `bus.run`. @default 'quickjs' */
  sandbox?: NonNullable<RunOptions['sandbox']>
  /** A limit that is `undefined` does not hold. @default { calls: 256, resultBytes: 1 MiB, consoleBytes: 64 KiB } */
  limits?: RunLimits
}

/** Why code failed. */
export type CodeError = {
  /** Name of the error that the code threw, or `TimeoutError`, `AbortError`, `SyntaxError`, or else the reason. */
  name: string
  message: string
  /** Reason of the error on the bus. */
  reason: RunError['reason']
  /** Line of the code, from 1. Absent if the error has no place in the code. */
  line?: number
}

interface CodeRun {
  code: string
  /** @default 'javascript' */
  language?: 'javascript' | 'typescript'
  groups: readonly ToolGroup[]
  options: CodeModeOptions
  /** Ends the run, in addition to the signal of the options. */
  signal?: AbortSignal | undefined
  /** What lines of `console.error` and `console.warn` begin with. */
  errorPrefix?: string
}

const LIMITS: RunLimits = { calls: 256, resultBytes: 2 ** 20, consoleBytes: 2 ** 16 }
const NAMES: Record<string, string> = { Timeout: 'TimeoutError', Cancelled: 'AbortError', LoadFailed: 'SyntaxError' }
/** A framework has no place for a continuation. */
const INTERRUPTED: Omit<RunError, 'data'> = {
  reason: 'Interrupted',
  message: 'A command interrupted the code, which does not go on. Do not use commands that interrupt in this code',
}

/** Resolves with what the code did, also if it failed. @throws {BusError} if the options are wrong, or the sandbox cannot start */
export async function runCode(
  bus: Bus,
  { code, language = 'javascript', groups, options, signal, errorPrefix = '' }: CodeRun,
): Promise<{ value: unknown; logs: string[]; error: CodeError | undefined }> {
  const globals = writeGlobals(groups)
  const signals = [options.signal, signal].filter(each => each !== undefined)
  try {
    const report = await bus.run(`${globals}${code}`, {
      ...{ sandbox: 'quickjs', language, ...options, limits: { ...LIMITS, ...options.limits } },
      ...(signals.length > 0 && { signal: AbortSignal.any(signals) }),
      functions: createBridge(groups),
      report: true,
    })
    const error = 'status' in report ? INTERRUPTED : report.error
    const logs = report.logs.map(({ stream, text }) => `${stream === 'stderr' ? errorPrefix : ''}${text}`)
    return { value: report.value, logs, error: error && toCodeError(error, globals.length) }
  } catch (error) {
    // Cancelled before the sandbox ran.
    if (!isBusError(error, 'Cancelled')) throw error
    return { value: undefined, logs: [], error: toCodeError(error, 0) }
  }
}

/** @param before - number of characters before the code, in its first line */
function toCodeError({ reason, message: text, name, line }: Omit<RunError, 'data'>, before: number): CodeError {
  const fix = (_: string, place: string, column: string) => `${place}:${Math.max(1, Number(column) - before)}`
  const message = text.replace(/\b(run\.[jt]s:1):(\d+)/, fix)
  const thrown = reason === 'CommandFailed' ? name : undefined
  return { name: thrown ?? NAMES[reason] ?? reason, message, reason, ...(line !== undefined && { line }) }
}

/**
 * Returns whether code has types, if Node.js can remove them, from 22.13 on, or amaro is installed. The host only parses the code as JavaScript,
 * which takes time in proportion to its length: the parser of types can take for ever.
 */
export function detectLanguage(code: string): 'javascript' | 'typescript' {
  try {
    void new Script(`async function code() {\n${code}\n}`)
    return 'javascript'
  } catch {
    return canRemoveTypes() ? 'typescript' : 'javascript'
  }
}

function canRemoveTypes(): boolean {
  try {
    return 'stripTypeScriptTypes' in nodeModule || nodeModule.createRequire(import.meta.url).resolve('amaro') !== ''
  } catch {
    return false
  }
}
