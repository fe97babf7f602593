// The answering side, whatever carries the messages.
import { readFile } from 'node:fs/promises'
import { KIB_FILE } from '../payloads/payloads.js'

/** Microseconds by a clock that all threads share: `performance.now` starts at 0 in each. */
export const sharedClock = (): number => Number(process.hrtime.bigint()) / 1e3

/** The measured events. Each direction has its own, because an event also reaches its sender. */
export const BACKEND_EVENT = 'backend-event'
export const FRONTEND_EVENT = 'frontend-event'
/** The event of one of many listeners, and that of a number of frontends, so that the others receive nothing. */
export const listenerEvent = (listener: number): string => `each-${listener}`
export const fanEvent = (frontends: number): string => `fan-${frontends}`
/** A frontend's report to core of how many events of a burst it received. */
export const FAN_SEEN = 'fan-seen'
export const EVENT_PAYLOAD: Readonly<Record<string, string>> = { data: 'value' }

/** The numbers of frontends that are measured. */
export const FAN_SIZES = [1, 4, 16] as const

export const greet = ({ name }: { name: string }): string => `Hello, ${name}!`

export const echo = (args: unknown): unknown => args

/** Awaits the file system, as handlers of real apps do. */
export const readKib = (): Promise<string> => readFile(KIB_FILE, 'utf8')

/** One message of a download's progress, as a channel of a Tauri app carries it. */
export const progress = (chunkLength: number): unknown => ({ event: 'progress', data: { chunkLength } })

/** Returns the index of a progress message in its stream; -1 for anything else. */
export const getChunk = (message: unknown): number =>
  (message as { data?: { chunkLength?: number } } | undefined)?.data?.chunkLength ?? -1

type Emit = (event: string, payload: unknown) => void

type FanSeen = { burst: number; seen: number }

/** In every frontend: counts the events of a burst, and reports the number at its end. */
export function countFan(report: (seen: FanSeen) => unknown): (payload: unknown) => void {
  let seen = 0
  return payload => {
    const { end } = payload as { end?: number }
    if (end === undefined) return void seen++
    report({ burst: end, seen })
    seen = 0
  }
}

/** The part of an answering side that does not depend on what carries its messages. */
export interface Backend {
  commands: Readonly<Record<string, (args: never) => unknown>>
  receive(event: string, payload: unknown): void
}

/** @param emitTo returns a function that emits to so many frontends */
export function createBackend(emitTo: (frontends: number) => Emit): Backend {
  const bursts = new Map<number, { left: number; seen: number; resolve(seen: number): void }>()
  let burstCount = 0
  let events = 0
  return {
    commands: {
      greet,
      echo,
      read_kib: readKib,
      burst: ({ count }: { count: number }) => {
        const emit = emitTo(1)
        for (let sent = 0; sent < count; sent++) emit(BACKEND_EVENT, EVENT_PAYLOAD)
      },
      burst_each: ({ count, listeners }: { count: number; listeners: number }) => {
        const emit = emitTo(1)
        for (let sent = 0; sent < count; sent++) emit(listenerEvent(sent % listeners), EVENT_PAYLOAD)
      },
      // Resolves to the number of events that all frontends have received, so that a slow frontend is measured too.
      fan_out: ({ count, frontends }: { count: number; frontends: number }) => {
        const emit = emitTo(frontends)
        const event = fanEvent(frontends)
        const end = ++burstCount
        for (let sent = 0; sent < count; sent++) emit(event, EVENT_PAYLOAD)
        emit(event, { end })
        return new Promise<number>(resolve => bursts.set(end, { left: frontends, seen: 0, resolve }))
      },
      // Returns the number of events since the last time.
      seen: () => {
        const seen = events
        events = 0
        return seen
      },
    },
    receive: (event, payload) => {
      if (event === FRONTEND_EVENT) events++
      if (event !== FAN_SEEN) return
      const { burst, seen } = payload as FanSeen
      const pending = bursts.get(burst)
      if (!pending) return
      pending.seen += seen
      if (--pending.left > 0) return
      bursts.delete(burst)
      pending.resolve(pending.seen)
    },
  }
}
