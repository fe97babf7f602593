// Records the diagnostics channels of this thread as events in Chrome's trace format:
// https://docs.google.com/document/d/1CvAClvFfyA5R-PhYUmn5OOQtYMH4h6I0nSsKchNAySU. It knows the channels by name.
import { subscribe, tracingChannel, type TracingChannelSubscribers, unsubscribe } from 'node:diagnostics_channel'
import { threadId } from 'node:worker_threads'
import type { CallTrace, EventTrace } from '@sallyport/protocol/internal'

/** An event in Chrome's trace format. Times are in microseconds since 1970, so those of all threads of a machine are comparable. */
export interface TraceEvent {
  /** The command, or the event's name. */
  name: string
  /** The diagnostics channel: `invoke`, `call`, `command`, `exposed` or `event`. */
  cat: string
  /** `b` and `e`: begin and end of a call. `X`: the part of a call that kept the thread busy. `i`: an event. `M`: a name. */
  ph: 'b' | 'e' | 'X' | 'i' | 'M'
  /** Time in microseconds. */
  ts: number
  /** The process id. */
  pid: number
  /** The thread id. */
  tid: number
  /** Label and id of a call: `main:7`. */
  id?: string
  /** Duration in microseconds. */
  dur?: number
  /** The scope of an instant event. */
  s?: 't'
  /** Details that the viewer shows. */
  args?: Record<string, string | number | boolean>
}

/** A running recording. */
export interface TraceRecording {
  /** Writes the recorded events, and stops recording. */
  stop(): void
  /** Calls `stop`. */
  [Symbol.dispose](): void
}

/** Channels of calls, and whether they are published by the callee. A call between threads is recorded in both. */
const CALL_CHANNELS = { invoke: false, call: false, command: true, exposed: true }
const EVENT_CHANNELS = {
  'sallyport:client.event:sent': 'sent',
  'sallyport:client.event:received': 'received',
  'sallyport:core.event:received': 'received',
  'sallyport:core.event:sent': 'sent',
}

const BATCH_SIZE = 1000
const FLUSH_INTERVAL_MS = 100

type RecordEvent = (event: Omit<TraceEvent, 'pid' | 'tid'>) => void
const now = (): number => (performance.timeOrigin + performance.now()) * 1000

/**
 * Records this thread's calls and events. Calls that `write` itself makes synchronously are not recorded.
 *
 * @param write - receives up to 1000 events, every 100 ms and when recording stops
 * @param options.name - the name of this thread, which the viewer shows
 * @example recordTrace(events => void invoke('trace', { events }).catch(() => {}), { name: getLabel() })
 */
export function recordTrace(
  write: (events: readonly TraceEvent[]) => void,
  { name }: { name: string },
): TraceRecording {
  const thread = { pid: process.pid, tid: threadId }
  let recorded: TraceEvent[] = [{ name: 'thread_name', cat: '__metadata', ph: 'M', ts: 0, ...thread, args: { name } }]
  let timer: NodeJS.Timeout | undefined
  let isWriting = false

  const flush = (): void => {
    clearTimeout(timer)
    timer = undefined
    if (recorded.length === 0) return
    const events = recorded
    recorded = []
    isWriting = true
    try {
      write(events)
    } finally {
      isWriting = false
    }
  }
  const record: RecordEvent = event => {
    recorded.push({ ...event, ...thread })
    if (recorded.length >= BATCH_SIZE) flush()
    else timer ??= setTimeout(flush, FLUSH_INTERVAL_MS).unref()
  }

  const unsubscribes = [
    ...Object.entries(CALL_CHANNELS).map(([channel, isCallee]) =>
      subscribeToCalls(channel, isCallee, () => isWriting, record),
    ),
    ...Object.entries(EVENT_CHANNELS).map(([channel, what]) => {
      const listener = (trace: unknown): void => {
        const { event, label } = trace as EventTrace
        if (!isWriting) record({ name: event, cat: 'event', ph: 'i', ts: now(), s: 't', args: { label, what } })
      }
      subscribe(channel, listener)
      return () => void unsubscribe(channel, listener)
    }),
  ]
  const stop = (): void => {
    for (const unsubscribe of unsubscribes.splice(0)) unsubscribe()
    flush()
  }
  return { stop, [Symbol.dispose]: stop }
}

/** Records calls. A call that began during a write is ignored, because its end alone would be taken for another call's end. */
function subscribeToCalls(cat: string, isCallee: boolean, isWriting: () => boolean, record: RecordEvent): () => void {
  const startTimes = new Map<CallTrace, number>()
  const getId = ({ label, id }: CallTrace): string => `${label}:${String(id)}`
  const end = (trace: CallTrace): void => {
    if (!startTimes.delete(trace) || trace.id === undefined) return
    const args = trace.error ? { error: trace.error.reason } : {}
    record({ name: trace.command, cat, ph: 'e', ts: now(), id: getId(trace), args })
  }
  const subscribers = {
    start(trace: CallTrace) {
      if (isWriting()) return
      const ts = now()
      startTimes.set(trace, ts)
      const { label, codec, stream } = trace
      // An event has no id and no response, so only the time of its handler is recorded.
      if (trace.id === undefined) return
      record({ name: trace.command, cat, ph: 'b', ts, id: getId(trace), args: { label, codec, stream } })
    },
    end(trace: CallTrace) {
      const ts = startTimes.get(trace)
      if (ts === undefined) return
      if (isCallee) record({ name: trace.command, cat, ph: 'X', ts, dur: now() - ts, args: { label: trace.label } })
      if (!trace.async) end(trace)
    },
    asyncStart: end,
  } as TracingChannelSubscribers<CallTrace>
  const channels = tracingChannel<unknown, CallTrace>(`sallyport.${cat}`)
  channels.subscribe(subscribers)
  return () => channels.unsubscribe(subscribers)
}
