// The sessions that a network brings: who may be taken in, which gives way to which, and what is counted of all of them
// together, so that those that have ended cost nothing.
import { BusError, describeName, isLabel, toEventTarget } from '@sallyport/protocol'
import type { Logger } from 'pino'
import type { Pattern } from '../acl/types.js'
import type { CoreOptions, NetworkCounts } from '../contract/control.js'
import type { Accepted, Hub, NetworkSession } from '../contract/network.js'
import type { EventRouter } from '../events/router.js'
import type { Session } from '../rpc/session.js'
import type { Sessions } from '../rpc/sessions.js'
import { COUNT, COUNTS, createLatency, SessionMetrics, type MetricsMemory } from '../shared/metrics.js'

export interface NetworkSessionsDeps {
  pattern: Pattern
  sessions: Sessions
  /** Makes a session of it, as of any frontend. */
  admit(session: NetworkSession, meter: SessionMetrics, ended: () => void): Session
}

export class NetworkSessions {
  readonly #parts: NetworkSessionsDeps
  readonly #open = new Map<string, { session: Session; counts: Float64Array }>()
  /** Of those that have ended. */
  readonly #ended = new Float64Array(COUNTS)
  /** One for all: 30 KB each would be more than all else of a session that rests. */
  #latency: MetricsMemory['latency'] | undefined
  #draining = false

  constructor(parts: NetworkSessionsDeps) {
    this.#parts = parts
  }

  /** @throws BusError `InvalidParams`, `InvalidRequest`, `Disconnected`: see `Hub.accept` */
  accept(given: NetworkSession): Accepted {
    const { sessions, admit } = this.#parts
    const { label } = given
    this.#check(given)
    this.giveWay(label)
    if (sessions.of(label)) {
      throw new BusError('InvalidRequest', `A frontend of this bus’s own is named ${describeName(label)}`)
    }
    const meter = new SessionMetrics({
      counts: new ArrayBuffer(COUNTS * Float64Array.BYTES_PER_ELEMENT),
      latency: (this.#latency ??= createLatency()),
    })
    const session = admit(given, meter, () => this.#fold(session, meter.counts))
    this.#open.set(label, { session, counts: meter.counts })
    return this.#held(label, session)
  }

  /** The session of this label is closed, for another one. */
  giveWay(label: string): void {
    void this.#open.get(label)?.session.close()
  }

  /** No further session is taken. */
  drain(): void {
    this.#draining = true
  }

  counts(): NetworkCounts {
    const sum = Float64Array.from(this.#ended)
    for (const { session, counts } of this.#open.values()) {
      session.measure()
      addTo(sum, counts)
    }
    return {
      sessions: this.#open.size,
      calls: Math.max(0, sum[COUNT.calls]! - sum[COUNT.eventsIn]!),
      failures: sum[COUNT.failures]!,
      denied: sum[COUNT.denied]!,
      inFlight: sum[COUNT.inFlight]!,
      eventsIn: sum[COUNT.eventsIn]!,
      eventsOut: sum[COUNT.eventsOut]!,
      bytesIn: sum[COUNT.bytesIn]!,
      bytesOut: sum[COUNT.bytesOut]!,
    }
  }

  #check({ label, codec, opener }: NetworkSession): void {
    const { pattern } = this.#parts
    if (this.#draining) throw new BusError('Disconnected', 'The bus is closing', { data: { delivered: 'no' } })
    if (!isLabel(label)) throw new BusError('InvalidParams', `${describeName(String(label))} is no label`)
    if (codec !== 'json' && codec !== 'msgpack')
      throw new BusError('InvalidParams', `The codec of a session must be "json" or "msgpack"`)
    // A session that was to be sealed never starts in clear.
    if ((pattern === 'isolation') !== (opener !== undefined))
      throw new BusError('InvalidRequest', `In the ${pattern} pattern a session has ${opener ? 'no' : 'an'} opener`)
  }

  /** Whoever has taken its place meanwhile is another: nothing is told of it. */
  #held(label: string, session: Session): Accepted {
    const { sessions } = this.#parts
    let state: 'new' | 'begun' | 'ended' = 'new'
    return {
      begin() {
        if (state !== 'new' || sessions.of(label) !== session) return
        state = 'begun'
        sessions.begin(label)
      },
      end() {
        const latest = sessions.of(label)
        if (state === 'ended' || (latest !== undefined && latest !== session)) return
        state = 'ended'
        sessions.end(label)
      },
    }
  }

  #fold(session: Session, counts: Float64Array): void {
    addTo(this.#ended, counts)
    // Of what is now, nothing is left.
    this.#ended[COUNT.inFlight] = this.#ended[COUNT.queued] = 0
    const label = session.label!
    if (this.#open.get(label)?.session === session) this.#open.delete(label)
  }
}

function addTo(sum: Float64Array, counts: Float64Array): void {
  for (let i = 0; i < COUNTS; i++) sum[i]! += counts[i]!
}

// What core gives to its network, made of core's own parts.

export interface HubDeps extends Pick<CoreOptions, 'pattern' | 'maxRecordAge' | 'appInfo'> {
  sessions: NetworkSessions
  router: EventRouter
  getLog: () => Logger
  fault: Hub['fault']
}

export function createHub({ pattern, maxRecordAge, appInfo, sessions, router, getLog, fault }: HubDeps): Hub {
  return {
    pattern,
    maxRecordAge,
    appInfo,
    get log() {
      return getLog()
    },
    accept: session => sessions.accept(session),
    onEmit: tell => router.onEmit(tell),
    deliver: (target, event, payload) =>
      router.deliver(target === undefined ? undefined : toEventTarget(target), event, payload),
    counts: () => sessions.counts(),
    fault,
  }
}
