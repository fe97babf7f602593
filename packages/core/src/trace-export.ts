// `@sallyport/core/trace-export`: writes what diagnostics channels tell into a file that Perfetto and Chrome open. Threads of one
// machine may write into the same file: each adds whole lines at its end.
import { closeSync, openSync, writeSync } from 'node:fs'
import { isMainThread } from 'node:worker_threads'
import { recordTrace } from '@sallyport/frontend/trace-export'
import { isBytes } from '@sallyport/protocol'

// One event of a trace as a line of JSON. Frontends hand in what they have recorded, and are not trusted: what is written is what
// an event has, and no more of it than there is room for.

const PHASES: ReadonlySet<unknown> = new Set(['b', 'e', 'X', 'i', 'M'])
const MAX_TEXT = 200
const MAX_ARGS = 8

const isNumber = (value: unknown): value is number => typeof value === 'number' && Number.isFinite(value)
const getText = (value: unknown): string | undefined =>
  typeof value === 'string' ? value.slice(0, MAX_TEXT) : undefined

/** Empty where it is no event. */
export function traceLine(event: unknown): string {
  if (typeof event !== 'object' || event === null || isBytes(event)) return ''
  const { name, cat, ph, ts, pid, tid, id, dur, s, args } = event as Record<string, unknown>
  if (typeof name !== 'string' || !PHASES.has(ph) || ![ts, pid, tid].every(isNumber)) return ''
  return JSON.stringify({
    name: getText(name),
    cat: getText(cat) ?? '',
    ph,
    ts,
    pid,
    tid,
    id: getText(id),
    dur: isNumber(dur) ? dur : undefined,
    s: s === 't' ? s : undefined,
    args: getArgs(args),
  })
}

function getArgs(args: unknown): Record<string, string | number | boolean> | undefined {
  if (typeof args !== 'object' || args === null || isBytes(args)) return undefined
  const kept: Record<string, string | number | boolean> = {}
  for (const [name, value] of Object.entries(args).slice(0, MAX_ARGS)) {
    const plain = isNumber(value) || typeof value === 'boolean' ? value : getText(value)
    if (plain !== undefined) kept[name.slice(0, MAX_TEXT)] = plain
  }
  return kept
}

export { recordTrace, type TraceEvent, type TraceOptions, type TraceRecording } from '@sallyport/frontend/trace-export'

export interface TraceFileOptions {
  /** What this thread is called: `host` in the main thread, else `core`, by default. */
  name?: string
  /** The file is another thread's, which began it and ends it: this one only adds to it. */
  append?: boolean
}

export interface TraceFile {
  /** Adds what another thread has recorded. Of what is no trace event nothing is written. */
  write(events: unknown): void
  /** Nothing more is recorded here. Whoever began the file ends it, last of all: then it is whole as JSON. */
  stop(): void
  [Symbol.dispose](): void
}

/** Of one call of `write`. */
const MAX_EVENTS = 1000

/**
 * Records this thread's calls and events into a file: `{ append: true }` in core's module, without it in the host before the
 * bus is created. It keeps at most 1000 events in memory, and also writes as the thread exits.
 *
 * @throws what the file system refuses
 * @example const file = traceToFile('run.trace.json')
 */
export function traceToFile(path: string | URL, options: TraceFileOptions = {}): TraceFile {
  const { name = isMainThread ? 'host' : 'core', append = false } = options
  if (!append) closeSync(openSync(path, 'w'))
  const file = openSync(path, 'a')
  if (!append) writeSync(file, '[\n')
  let isOpen = true
  const write = (events: unknown): void => {
    if (!isOpen || !Array.isArray(events)) return
    const lines = events.slice(0, MAX_EVENTS).map(traceLine)
    writeSync(file, lines.map(line => line && `${line},\n`).join(''))
  }
  const recording = recordTrace(write, { name })
  const stop = (): void => {
    if (!isOpen) return
    process.off('exit', stop)
    recording.stop()
    isOpen = false
    // The last of a JSON array has no comma behind it.
    if (!append) writeSync(file, `${traceLine({ name: 'end', ph: 'M', ts: 0, pid: process.pid, tid: 0 })}\n]\n`)
    closeSync(file)
  }
  process.on('exit', stop)
  return { write, stop, [Symbol.dispose]: stop }
}
