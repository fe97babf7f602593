// Entry `@sallyport/core/trace-export`: writes the messages of diagnostics channels into a file that Perfetto and Chrome open. Threads of
// one machine can write into the same file: each appends whole lines.
import { closeSync, openSync, writeSync } from 'node:fs'
import { isMainThread } from 'node:worker_threads'
import { recordTrace } from '@sallyport/frontend/trace-export'
import { isBytes } from '@sallyport/protocol/internal'
import { MAX_NAME_LENGTH } from './shared/suggest.js'

/** Events in one call of `write`. */
const MAX_EVENTS = 1000
const MAX_ARGS = 8
const PHASES: ReadonlySet<unknown> = new Set(['b', 'e', 'X', 'i', 'M'])

/** Options of `traceToFile`. */
export interface TraceFileOptions {
  /** The name of this thread: `host` in the main thread, `core` in others by default. */
  name?: string
  /** Appends to a file that another thread has begun, and will end. @default false */
  append?: boolean
}

/** A trace file that is being written. */
export interface TraceFile {
  /** Appends events that another thread has recorded. Malformed events are ignored. */
  write(events: unknown): void
  /** Stops recording. The thread that began the file stops last: it completes the JSON. */
  stop(): void
  /** Calls `stop`. */
  [Symbol.dispose](): void
}

/**
 * Records this thread's calls and events into a file: with `{ append: true }` in core's module, without it in the host before the bus is
 * created. It is written every 100 ms, and when recording stops or the thread exits. At most 1000 events are kept in memory.
 *
 * @throws errors of the file system
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
    const lines = events.slice(0, MAX_EVENTS).map(toLine)
    writeSync(file, lines.map(line => line && `${line},\n`).join(''))
  }
  const recording = recordTrace(write, { name })
  const stop = (): void => {
    if (!isOpen) return
    process.off('exit', stop)
    recording.stop()
    isOpen = false
    // No comma follows the last item of a JSON array.
    if (!append) writeSync(file, `${toLine({ name: 'end', ph: 'M', ts: 0, pid: process.pid, tid: 0 })}\n]\n`)
    closeSync(file)
  }
  process.on('exit', stop)
  return { write, stop, [Symbol.dispose]: stop }
}

/** Returns an event as a line of JSON, or an empty string if it is malformed. Events of frontends are not trusted: sizes are bounded. */
function toLine(event: unknown): string {
  if (typeof event !== 'object' || event === null || isBytes(event)) return ''
  const { name, cat, ph, ts, pid, tid, id, dur, s, args } = event as Record<string, unknown>
  if (typeof name !== 'string' || !PHASES.has(ph) || ![ts, pid, tid].every(isNumber)) return ''
  return JSON.stringify({
    name: toText(name),
    cat: toText(cat) ?? '',
    ph,
    ts,
    pid,
    tid,
    id: toText(id),
    dur: isNumber(dur) ? dur : undefined,
    s: s === 't' ? s : undefined,
    args: toArgs(args),
  })
}

const isNumber = (value: unknown): value is number => typeof value === 'number' && Number.isFinite(value)
const toText = (value: unknown): string | undefined =>
  typeof value === 'string' ? value.slice(0, MAX_NAME_LENGTH) : undefined

function toArgs(args: unknown): Record<string, string | number | boolean> | undefined {
  if (typeof args !== 'object' || args === null || isBytes(args)) return undefined
  const kept: Record<string, string | number | boolean> = {}
  for (const [name, value] of Object.entries(args).slice(0, MAX_ARGS)) {
    const plain = isNumber(value) || typeof value === 'boolean' ? value : toText(value)
    if (plain !== undefined) kept[name.slice(0, MAX_NAME_LENGTH)] = plain
  }
  return kept
}
