// Runs code with tools on a bus, and says how it ended in words that all frameworks have.
import { type Bus, BusError, type InterruptedRun, isBusError, type RunOptions } from '@sallyport/core'
import type { RunError, RunLimits } from '@sallyport/core/internal'
import { NOTHING, readCode } from './read-code.js'
import { BRIDGE_NAME, createBridge, MAX_FAILURE, type ToolGroup, writeGlobals } from './tool-globals.js'

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
  prelude?: string
  groups: readonly ToolGroup[]
  options: CodeModeOptions
  signal?: AbortSignal | undefined
  errorPrefix?: string
  /** Goes on with code that waits for an approval. */
  resumed?: AnsweredRun | undefined
}

export type InterruptedCode = Pick<InterruptedRun, 'status' | 'continuation' | 'data'>

/** Code that waits for a person, and the answer. */
export type AnsweredRun = Pick<InterruptedRun, 'continuation' | 'data'> & { readonly answer: boolean }

/** With it the code calls the tool again, which runs. No tool can reject with this reason. */
const APPROVAL = new BusError('Interrupted', 'A person has approved the call')
const REFUSAL = new BusError('Denied', 'A person has refused the call', { code: 'REFUSED' })

const LIMITS: RunLimits = { calls: 256, resultBytes: 2 ** 20, consoleBytes: 2 ** 16 }
const MAX_LINE = 100
/** The part of remedies that the code has no option for. */
const NEEDLESS = /, or choose codec: 'msgpack'/g
const NAMES: Record<string, string> = { Timeout: 'TimeoutError', Cancelled: 'AbortError', LoadFailed: 'SyntaxError' }
/** A framework has no place for a continuation. */
const INTERRUPTED: Omit<RunError, 'data'> = {
  reason: 'Interrupted',
  message: 'A command interrupted the code, which does not go on. Do not use commands that interrupt in this code',
}

/** A model gets JSON, which would have a member for each byte. */
function findFault(value: unknown): Omit<RunError, 'data'> | undefined {
  let message: string | undefined
  JSON.stringify(value, (name, member: unknown) => {
    const kind = getOddKind(member)
    if (kind === undefined) return member
    message ??= `${name || 'it'} is ${kind}, which JSON cannot represent: return a string`
    return null
  })
  return message === undefined ? undefined : { reason: 'CommandFailed', name: 'TypeError', message }
}

function getOddKind(value: unknown): string | undefined {
  if (value instanceof Uint8Array) return 'bytes'
  if (typeof value === 'bigint') return 'a BigInt'
  return typeof value === 'number' && !Number.isFinite(value) ? String(value) : undefined
}

/** Resolves with what the code did, also if it failed. @throws {BusError} if the options are wrong, or the sandbox cannot start */
export async function runCode(
  bus: Bus,
  { code: content, prelude = '', groups, options, signal, errorPrefix = '', resumed }: CodeRun,
): Promise<{
  value: unknown
  logs: string[]
  error: CodeError | undefined
  interrupted?: InterruptedCode | undefined
}> {
  const { text, body, before, language } = readCode(content)
  const start = `${writeGlobals(groups)}\n${prelude}${before}`
  const running: string[] = []
  const failed = new Map<string, string>()
  const toError = (error: Omit<RunError, 'data'>): CodeError => {
    const command =
      JSON.stringify(error.command) === BRIDGE_NAME ? failed.get(error.message.slice(0, MAX_FAILURE)) : error.command
    const message = error.message.replaceAll(NEEDLESS, '')
    return toCodeError({ ...error, message }, start.split('\n').length - 1, text, command)
  }
  const signals = [options.signal, signal].filter(each => each !== undefined)
  try {
    const { data: _data, directory: _directory, ...kept } = options
    const terms = {
      limits: { ...LIMITS, ...options.limits },
      ...(signals.length > 0 && { signal: AbortSignal.any(signals) }),
      functions: createBridge(bus, groups, running, failed),
      report: true as const,
    }
    const answer = { error: resumed?.answer === true ? APPROVAL : REFUSAL }
    const report = resumed
      ? await bus.resume(resumed.continuation, answer, { ...kept, ...terms })
      : await bus.run(start + body, { ...{ sandbox: 'quickjs', language }, ...options, ...terms })
    const { value, status } = report
    const interrupted = status && { status, continuation: report.continuation, data: report.data }
    const error = status ? INTERRUPTED : (report.error ?? findFault(value))
    const message = error?.message.replaceAll(BRIDGE_NAME, own => JSON.stringify(running.shift() ?? own)) ?? ''
    const logs = report.logs.map(({ stream, text: printed }) => `${stream === 'stderr' ? errorPrefix : ''}${printed}`)
    for (const thrown of report.unhandled ?? []) {
      const lost = toError(thrown)
      const place = lost.line === undefined ? '' : ` in line ${lost.line}`
      logs.push(`${errorPrefix}A promise rejected${place} and was not awaited: ${lost.message}. Await it.`)
    }
    if (value === NOTHING) logs.push('The code returned nothing. End it with `return`.')
    const result = value === NOTHING ? null : value
    return {
      value: error ? undefined : result,
      logs,
      error: error && toError({ ...error, message }),
      interrupted,
    }
  } catch (error) {
    // By a signal.
    if (!isBusError(error, 'Cancelled')) throw error
    return { value: undefined, logs: [], error: toError(error) }
  }
}

/** Returns an error with the place in the model's own code, which ends where it ends. @param before - number of lines before it in the run */
function toCodeError(thrown: Omit<RunError, 'data'>, before: number, code: string, command = ''): CodeError {
  const { reason, name, line: row = 0 } = thrown
  const lines = code.split('\n')
  const toPlace = (file: string, at: number, column: string): string =>
    at > lines.length ? `${file}:${lines.length}` : `${file}:${at}:${column}`
  // Some messages have the name.
  const words = thrown.message.split(/[^\w.|:-]+/)
  const subject = command === '' || words.includes(command) ? '' : `${command} failed: `
  const text = `${subject}${thrown.message}`.replace(
    /\b(run\.[jt]s):(\d+):(\d+)/,
    (_, file: string, at: string, column: string) => toPlace(file, Number(at) - before, column),
  )
  const line = Math.min(row - before, lines.length)
  const hasLine = line > 0
  // The message is that of the command alone.
  const isOfCall = reason === 'CommandFailed' && name === 'BusError'
  const call = isOfCall && hasLine ? ` (line ${line}: ${lines[line - 1]!.trim().slice(0, MAX_LINE)})` : ''
  const thrownName = reason === 'CommandFailed' && !isOfCall ? name : undefined
  return { name: thrownName ?? NAMES[reason] ?? reason, message: text + call, reason, ...(hasLine && { line }) }
}
