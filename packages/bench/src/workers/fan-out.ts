// One event to many frontends. Each of them counts what it gets, and tells when a burst has ended; a burst counts when all
// have told, so that nobody is measured who lags behind.
import type { Measurement } from '../task.js'
import { EVENT_PAYLOAD } from './handlers.js'
import { bursts, counted } from './messages.js'
import type { Subject } from './subject.js'

/** The numbers of frontends that are measured. Each is an event of its own, so that the others hear nothing. */
export const FAN_SIZES = [1, 4, 16] as const
export const fanEvent = (frontends: number): string => `fan-${frontends}`
/** Tells core what a frontend has counted. */
export const FAN_SEEN = 'fan-seen'

export interface FanSeen {
  burst: number
  seen: number
}

/** In the measuring frontend, which is one of those that listen. */
export async function measureFanOut(subject: Subject, ms: number, frontends: number): Promise<Measurement> {
  const receive = countFan(report => subject.emit(FAN_SEEN, report))
  const unlisten = await subject.listen(fanEvent(frontends), receive)
  let delivered = 0
  try {
    const sent = await bursts(ms, async count => {
      const seen = Number(await subject.call('fan_out', { count, frontends }))
      delivered += seen
    })
    return { each: 1e6 / counted({ ...sent, messages: sent.messages * frontends }, delivered)['rate']! }
  } finally {
    unlisten()
  }
}

/** In every frontend: counts the events of a burst, and reports at its end. */
export function countFan(report: (seen: FanSeen) => unknown): (payload: unknown) => void {
  let seen = 0
  return payload => {
    const { end } = payload as { end?: number }
    if (end === undefined) return void seen++
    report({ burst: end, seen })
    seen = 0
  }
}

/** In core, or its like. */
export class FanOut {
  readonly #waiting = new Map<number, { left: number; seen: number; resolve(seen: number): void }>()
  #bursts = 0

  /** Sends a burst and its end to each frontend, and resolves to how many events they have counted together. */
  send(count: number, frontends: number, emit: (event: string, payload: unknown) => void): Promise<number> {
    const event = fanEvent(frontends)
    const end = ++this.#bursts
    for (let sent = 0; sent < count; sent++) emit(event, EVENT_PAYLOAD)
    emit(event, { end })
    return new Promise(resolve => this.#waiting.set(end, { left: frontends, seen: 0, resolve }))
  }

  seen({ burst, seen }: FanSeen): void {
    const waiting = this.#waiting.get(burst)
    if (!waiting) return
    waiting.seen += seen
    if (--waiting.left > 0) return
    this.#waiting.delete(burst)
    waiting.resolve(waiting.seen)
  }
}
