// `@sallyport/frontend/trace-export`: what diagnostics channels tell in this thread, as events in Chrome's trace format:
// https://docs.google.com/document/d/1CvAClvFfyA5R-PhYUmn5OOQtYMH4h6I0nSsKchNAySU. It knows the channels by name.
import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { threadId } from 'node:worker_threads'
import type { CallTrace, EventTrace } from '@sallyport/protocol'

/** Times are in microseconds since 1970: those of threads and processes on one machine fit together. */
export interface TraceEvent {
  name: string
  cat: string
  /** `b` and `e`: a call, from its begin to its end. `X`: the part of it that kept the thread busy. `i`: an event. `M`: a name. */
  ph: 'b' | 'e' | 'X' | 'i' | 'M'
  ts: number
  pid: number
  tid: number
  /** Of a call: its label and id. */
  id?: string
  dur?: number
  s?: 't'
  args?: Record<string, string | number | boolean>
}

export interface TraceOptions {
  /** What this thread is called. */
  name: string
}

export interface TraceRecording {
  /** Writes what there is, and records nothing more. */
  stop(): void
  [Symbol.dispose](): void
}

/** A call that takes part in two threads is told of in each: by its caller, and by what runs it. */
const SIDES = { invoke: false, call: false, command: true, exposed: true }
const EVENTS = {
  'sallyport:client.event:sent': 'sent',
  'sallyport:client.event:received': 'received',
  'sallyport:core.event:received': 'received',
  'sallyport:core.event:sent': 'sent',
}

/** So many are kept before they are written, */
const MAX_KEPT = 1000
/** or for so long. */
const KEPT_MS = 100

const now = (): number => (performance.timeOrigin + performance.now()) * 1000

/**
 * Records this thread's calls and events. What `write` does itself, as it is called, is not recorded: it may make a call.
 *
 * @param write is given up to 1000 events, each 100 ms and when recording stops
 * @example recordTrace(events => void invoke('trace', { events }).catch(() => {}), { name: getLabel() })
 */
export function recordTrace(write: (events: readonly TraceEvent[]) => void, { name }: TraceOptions): TraceRecording {
  const here = { pid: process.pid, tid: threadId }
  let kept: TraceEvent[] = [{ name: 'thread_name', cat: '__metadata', ph: 'M', ts: 0, ...here, args: { name } }]
  let timer: NodeJS.Timeout | undefined
  let isWriting = false

  const flush = (): void => {
    clearTimeout(timer)
    timer = undefined
    if (kept.length === 0) return
    const events = kept
    kept = []
    isWriting = true
    try {
      write(events)
    } finally {
      isWriting = false
    }
  }
  const keep = (event: Omit<TraceEvent, 'pid' | 'tid'>): void => {
    kept.push({ ...event, ...here })
    if (kept.length >= MAX_KEPT) flush()
    else timer ??= setTimeout(flush, KEPT_MS).unref()
  }

  const stops = [
    ...Object.entries(SIDES).map(([side, runs]) => hearCalls(side, runs, () => isWriting, keep)),
    ...Object.entries(EVENTS).map(([channel, what]) =>
      hear(channel, ({ event, label }: EventTrace) => {
        if (!isWriting) keep({ name: event, cat: 'event', ph: 'i', ts: now(), s: 't', args: { label, what } })
      }),
    ),
  ]
  const stop = (): void => {
    for (const end of stops.splice(0)) end()
    flush()
  }
  return { stop, [Symbol.dispose]: stop }
}

/** Those that began while nothing was written. An end without a begin would be that of another call. */
function hearCalls(
  cat: string,
  runs: boolean,
  isWriting: () => boolean,
  keep: (event: Omit<TraceEvent, 'pid' | 'tid'>) => void,
): () => void {
  const began = new Map<CallTrace, number>()
  const idOf = ({ label, id }: CallTrace): string => `${label}:${String(id)}`
  const end = (trace: CallTrace): void => {
    if (!began.delete(trace) || trace.id === undefined) return
    const args = trace.error ? { error: trace.error.reason } : {}
    keep({ name: trace.command, cat, ph: 'e', ts: now(), id: idOf(trace), args })
  }
  const heard = {
    start(trace: CallTrace) {
      if (isWriting()) return
      const ts = now()
      began.set(trace, ts)
      const { label, codec, stream } = trace
      // Nobody waits for an event: it has no id, and no end but that of its run.
      if (trace.id === undefined) return
      keep({ name: trace.command, cat, ph: 'b', ts, id: idOf(trace), args: { label, codec, stream } })
    },
    end(trace: CallTrace) {
      const ts = began.get(trace)
      if (ts === undefined) return
      if (runs) keep({ name: trace.command, cat, ph: 'X', ts, dur: now() - ts, args: { label: trace.label } })
      if (!trace.async) end(trace)
    },
    asyncStart: end,
  }
  const stops = Object.entries(heard).map(([happening, listener]) =>
    hear(`tracing:sallyport.${cat}:${happening}`, listener),
  )
  return () => stops.forEach(stop => stop())
}

function hear<T>(channel: string, listener: (message: T) => void): () => void {
  const listen = listener as (message: unknown) => void
  subscribe(channel, listen)
  return () => void unsubscribe(channel, listen)
}
