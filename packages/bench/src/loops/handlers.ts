// The handlers of the answering side, which do not depend on the transport.
import { readFile } from 'node:fs/promises'
import { KIB_FILE } from '../payloads/payloads.js'

/** The measured events, one for each direction, because an event also reaches its sender. */
export const BACKEND_EVENT = 'backend-event'
export const FRONTEND_EVENT = 'frontend-event'
/** The event of one listener, and the event for a number of frontends. */
export const listenerEvent = (listener: number): string => `each-${listener}`
export const fanEvent = (frontends: number): string => `fan-${frontends}`
/** A frontend reports to core how many events of a burst it received. */
export const FAN_SEEN = 'fan-seen'
export const EVENT_PAYLOAD: Readonly<Record<string, string>> = { data: 'value' }

/** The numbers of frontends that are measured. */
export const FAN_SIZES = [1, 4, 16] as const

export const greet = ({ name }: { name: string }): string => `Hello, ${name}!`

export const echo = (args: unknown): unknown => args

export const readKib = (): Promise<string> => readFile(KIB_FILE, 'utf8')

/** A message of a download's progress, as in Tauri's documentation. */
export const progress = (chunkLength: number): unknown => ({ event: 'progress', data: { chunkLength } })

/** Returns the index of a progress message in its stream; -1 for anything else. */
export const getChunk = (message: unknown): number =>
  (message as { data?: { chunkLength?: number } } | undefined)?.data?.chunkLength ?? -1

type Emit = (event: string, payload: unknown) => void

type FanSeen = { burst: number; seen: number }

/** Counts the events of a burst in a frontend, and reports the number at its end. */
export function countFan(report: (seen: FanSeen) => unknown): (payload: unknown) => void {
  let seen = 0
  return payload => {
    const { end } = payload as { end?: number }
    if (end === undefined) return void seen++
    report({ burst: end, seen })
    seen = 0
  }
}

export interface Backend {
  commands: Readonly<Record<string, (args: never) => unknown>>
  receive(event: string, payload: unknown): void
}

/** @param emitTo returns a function that emits to this number of frontends */
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
      // Resolves after the slowest frontend, to the number of events that all frontends received.
      fan_out: ({ count, frontends }: { count: number; frontends: number }) => {
        const emit = emitTo(frontends)
        const event = fanEvent(frontends)
        const end = ++burstCount
        for (let sent = 0; sent < count; sent++) emit(event, EVENT_PAYLOAD)
        emit(event, { end })
        return new Promise<number>(resolve => bursts.set(end, { left: frontends, seen: 0, resolve }))
      },
      // Returns the number of events since the previous call.
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
