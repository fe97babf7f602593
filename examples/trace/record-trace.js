// @ts-check
// Records the diagnostics channels of this thread as events in Chrome's trace format, which ui.perfetto.dev opens:
// https://docs.google.com/document/d/1CvAClvFfyA5R-PhYUmn5OOQtYMH4h6I0nSsKchNAySU. Times are microseconds since 1970, so those of all
// threads of a machine are comparable.
import { subscribe, tracingChannel, unsubscribe } from 'node:diagnostics_channel'
import { threadId } from 'node:worker_threads'

/** @typedef {import('@sallyport/core').CallTrace} CallTrace */
/** @typedef {Record<string, unknown> & { name: string, ph: string, ts: number }} TraceEvent */

/** Channels of calls, and whether they are published by the callee. A call between threads is recorded in both. */
const CALL_CHANNELS = { invoke: false, call: false, command: true, exposed: true }
const EVENT_CHANNELS = ['client.event:sent', 'client.event:received', 'core.event:sent', 'core.event:received']
const FLUSH_INTERVAL_MS = 100

const now = () => (performance.timeOrigin + performance.now()) * 1000
/** @param {CallTrace} trace */
const getId = ({ label, id }) => `${label}:${String(id)}`

/**
 * Records until the returned function is called. Calls that `write` itself makes synchronously are not recorded.
 *
 * @param {(events: TraceEvent[]) => void} write receives what was recorded, every 100 ms and at the end
 * @param {string} thread the name of this thread, which the viewer shows
 */
export function recordTrace(write, thread) {
  const where = { pid: process.pid, tid: threadId }
  /** @type {TraceEvent[]} */
  let recorded = [{ name: 'thread_name', ph: 'M', ts: 0, ...where, args: { name: thread } }]
  let isWriting = false
  const flush = () => {
    const events = recorded
    recorded = []
    isWriting = true
    try {
      if (events.length > 0) write(events)
    } finally {
      isWriting = false
    }
  }
  const timer = setInterval(flush, FLUSH_INTERVAL_MS).unref()
  /** @param {TraceEvent} event */
  const record = event => void recorded.push({ ...event, ...where })

  const stops = Object.entries(CALL_CHANNELS).map(([cat, isCallee]) => {
    /** A call that began during a write is ignored: its end alone would be taken for another call's end. @type {Map<CallTrace, number>} */
    const startTimes = new Map()
    const end = (/** @type {CallTrace} */ trace) => {
      if (!startTimes.delete(trace) || trace.id === undefined) return
      const args = trace.error ? { error: trace.error.reason } : {}
      record({ name: trace.command, cat, ph: 'e', ts: now(), id: getId(trace), args })
    }
    const subscribers = {
      start(/** @type {CallTrace} */ trace) {
        if (isWriting) return
        startTimes.set(trace, now())
        const { command: name, label, codec } = trace
        // An event has no id and no response, so only the time of its handler is recorded.
        if (trace.id !== undefined) record({ name, cat, ph: 'b', ts: now(), id: getId(trace), args: { label, codec } })
      },
      end(/** @type {CallTrace} */ trace) {
        const ts = startTimes.get(trace)
        if (ts === undefined) return
        if (isCallee) record({ name: trace.command, cat, ph: 'X', ts, dur: now() - ts, args: { label: trace.label } })
        if (!trace.async) end(trace)
      },
      asyncStart: end,
    }
    const channels = tracingChannel(`sallyport.${cat}`)
    channels.subscribe(/** @type {any} */ (subscribers))
    return () => channels.unsubscribe(/** @type {any} */ (subscribers))
  })
  for (const what of EVENT_CHANNELS) {
    const listener = (/** @type {unknown} */ message) => {
      const { event, label } = /** @type {import('@sallyport/core').EventTrace} */ (message)
      if (!isWriting) record({ name: event, cat: 'event', ph: 'i', ts: now(), s: 't', args: { label, what } })
    }
    subscribe(`sallyport:${what}`, listener)
    stops.push(() => unsubscribe(`sallyport:${what}`, listener))
  }
  return () => {
    clearInterval(timer)
    for (const stop of stops.splice(0)) stop()
    flush()
  }
}
