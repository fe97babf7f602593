// Runs code with tools on a bus, and says how it ended in words that all frameworks have.
import { type Bus, isBusError, type RunError } from '@sallyport/core'
import { type CodeModeOptions, DEFAULT_LIMITS } from './options.js'
import { createBridge, type ToolGroup, writeGlobals } from './tool-globals.js'

/** Why code failed. */
export interface CodeError {
  /** Name of the error that the code threw, or `TimeoutError`, `AbortError`, `SyntaxError`, or else the reason. */
  name: string
  /** The error's message. */
  message: string
  /** Reason of the error on the bus. */
  reason: RunError['reason']
  /** Line of the code, from 1. Absent if the error has no place in the code. */
  line?: number
}

type CodeOutcome = { value: unknown; logs: string[]; error: CodeError | undefined }

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

/** A framework has no place for a continuation. */
const INTERRUPTED: Omit<RunError, 'data'> = {
  reason: 'Interrupted',
  message: 'A command interrupted the code, which does not go on. Do not use commands that interrupt in this code',
}
const NAMES: Record<string, string> = { Timeout: 'TimeoutError', Cancelled: 'AbortError', LoadFailed: 'SyntaxError' }

/**
 * Resolves with what the code did, also if it failed: `value` is `undefined` then.
 *
 * @throws {BusError} if the options are wrong, or the sandbox cannot start
 */
export async function runCode(bus: Bus, run: CodeRun): Promise<CodeOutcome> {
  const { code, language = 'javascript', groups, options, signal, errorPrefix = '' } = run
  const globals = writeGlobals(groups)
  const signals = [options.signal, signal].filter(each => each !== undefined)
  try {
    const report = await bus.run(`${globals}${code}`, {
      ...{ sandbox: 'quickjs', language, ...options, limits: { ...DEFAULT_LIMITS, ...options.limits } },
      ...(signals.length > 0 && { signal: AbortSignal.any(signals) }),
      functions: createBridge(groups),
      report: true,
    })
    const { value, logs } = report
    const error = 'status' in report ? INTERRUPTED : report.error
    const lines = logs.map(({ stream, text }) => `${stream === 'stderr' ? errorPrefix : ''}${text}`)
    return { value, logs: lines, error: error && toCodeError(error, globals.length) }
  } catch (error) {
    // Cancelled before the sandbox ran.
    if (!isBusError(error, 'Cancelled')) throw error
    return { value: undefined, logs: [], error: toCodeError(error, 0) }
  }
}

/** @param before - number of characters before the code, in its first line */
function toCodeError({ reason, message: text, name, line }: Omit<RunError, 'data'>, before: number): CodeError {
  const given = reason === 'CommandFailed' ? name : undefined
  const message = text.replace(
    /\b(run\.[jt]s:1):(\d+)/,
    (_, place, column) => `${place}:${Math.max(1, Number(column) - before)}`,
  )
  return { name: given ?? NAMES[reason] ?? reason, message, reason, ...(line !== undefined && { line }) }
}
