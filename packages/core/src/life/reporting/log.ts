// The bus's log: the host's pino logger, to which core and the gates send their lines, and the lines of a bus that closes.
import { every } from '@sallyport/protocol/internal/contract'
import type { Logger, pino as Pino } from 'pino'
import type { Measurement } from '../../contract/host-core.js'
import { DEFAULT_CLOSE_MS } from '../policy.js'
import {
  createPaint,
  createTerminalLog,
  escapeLines,
  escapeText,
  getLevelName,
  LOG_LEVELS,
  type LogLevel,
  type LogLine,
  paintLabel,
} from './terminal-log.js'

export type { Logger }

/** The methods of a logger that a host calls. */
export type HostLog = Pick<Logger, LogLevel | 'level'>

let pino: typeof Pino | undefined

/** Pino takes as long to load as a worker to start, so a host loads it while core starts. Lines wait until then. */
export async function loadPino(): Promise<void> {
  pino ??= (await import('pino')).pino
}

export type LogOption = Logger | LogLevel | false | undefined

/** True if the log and the output of frontends go to standard error. */
export const isDefaultLog = (log: LogOption): log is LogLevel | undefined =>
  log === undefined || typeof log === 'string'

/**
 * Creates the log. By default warnings and errors, in development `info` too, go to standard error: as text to a terminal and under a
 * test runner, else as JSON.
 */
export function createHostLog(log: LogOption, dev = false): HostLog {
  if (log === false) return createLazyLog('silent')
  if (!isDefaultLog(log)) return log
  const write = isTextLog()
    ? createTerminalLog(writeToStderr, paint)
    : (line: string) => writeToStderr(escapeLines(line))
  return createLazyLog(log ?? (dev ? 'info' : 'warn'), write)
}

/** Returns a logger that creates pino's with the first line of its level. */
function createLazyLog(level: LogLevel, write: (line: string) => void = () => {}): HostLog {
  let log: Logger | undefined
  const waiting: [name: LogLevel, args: [object, string]][] = []
  const flush = (): void => {
    log ??= pino!({ name: 'sallyport', level }, { write })
    for (const [name, args] of waiting.splice(0)) log[name](...args)
  }
  const entries = LOG_LEVELS.map((name, index) => {
    if (index < LOG_LEVELS.indexOf(level)) return [name, () => {}]
    const method = (...args: [object, string]): void => {
      waiting.push([name, args])
      if (pino) flush()
      // The start of the host has the error.
      else loadPino().then(flush, () => {})
    }
    return [name, method]
  })
  return { ...Object.fromEntries(entries), level }
}

/** Variables that the test runners of Node, Vitest and Jest set. */
const TEST_RUNNERS = ['NODE_TEST_CONTEXT', 'VITEST', 'JEST_WORKER_ID']

/** People read the output of a test runner, which is often a pipe. */
const isTextLog = (): boolean => process.stderr.isTTY || TEST_RUNNERS.some(name => process.env[name] !== undefined)

const paint = createPaint(process.stderr)

let stderr: ReturnType<typeof Pino.destination> | undefined

/** Writes at once, so that a process that exits or crashes loses nothing, and ignores a closed pipe. */
function writeToStderr(text: string): void {
  if (!pino) {
    const write = (): void => writeToStderr(text)
    return void loadPino().then(write, () => {})
  }
  stderr ??= pino.destination({ dest: 2, sync: true })
  stderr.write(text)
}

/** Writes a line that a worker has printed, with its label and without control sequences. One of its standard error is marked. */
export function writeOutput(label: string, line: string, stream: 'stdout' | 'stderr'): void {
  const mark = stream === 'stderr' ? paint('red', '!') : ''
  writeToStderr(`${paintLabel(label, label, paint)}${mark} ${escapeText(line)}\n`)
}

/** Writes a line of core's pino to the host's log. */
export function forwardLine(log: HostLog, line: string): void {
  const { level, time: _time, pid: _pid, hostname: _hostname, msg, ...fields }: LogLine = JSON.parse(line)
  const method = getLevelName(level) ?? 'info'
  if (method in log) log[method as 'info'](fields, msg)
}

/** Returns the fields that other lines have of a worker. @param name - `core`, `frontend "label"`, `gate "label"` */
function toFields(name: string): Pick<LogLine, 'worker' | 'label'> {
  const [, worker = name, label] = /^(\w+) (".*")$/s.exec(name) ?? []
  return label === undefined ? { worker } : { worker, label: JSON.parse(label) }
}

/** Calls are named before they are cut off. */
const CLOSING_INTERVAL_MS = DEFAULT_CLOSE_MS / 2

/** Logs each call, or else each worker, that the close of a bus waits for, once. Returns a function that ends this. */
export function logPendingClose(
  core: { measure(): Promise<Measurement | undefined> },
  supervisor: { getWorkerStatuses(): ReadonlyMap<string, unknown>; readonly state: string },
  log: HostLog,
): () => void {
  const reported = new Set<string>()
  let wasIdle = false
  const report = async (): Promise<void> => {
    const { running: calls = [] } = (await core.measure()) ?? {}
    const names = [...supervisor.getWorkerStatuses().keys()]
    const workers = names.includes('core') ? ['core'] : names
    // Core and the others end within moments of the last call.
    const isEnding = calls.length === 0 && !wasIdle
    wasIdle = calls.length === 0
    const pending = calls.length > 0 ? calls.map(({ label, command }) => JSON.stringify([label, command])) : workers
    if (isEnding || supervisor.state === 'stopped' || pending.every(each => reported.has(each))) return
    for (const each of pending) reported.add(each)
    log.warn({ workers: workers.map(toFields), calls }, 'closing')
  }
  return every(CLOSING_INTERVAL_MS, () => void report())
}
