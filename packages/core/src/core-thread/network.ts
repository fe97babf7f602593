// The network that core has joined, and the sessions that it brings: which are accepted, which replace others, and their counts together, so that
// sessions that have ended cost nothing. A network that fails later is logged, and delays neither statistics nor the end of core.
import { within } from '@sallyport/protocol/internal/contract'
import {
  BusError,
  createClosingError,
  describeName,
  describeThrown,
  isBusError,
} from '@sallyport/protocol/internal/errors'
import { isLabel } from '@sallyport/protocol/internal/message'
import type { Logger } from 'pino'
import type { Pattern } from '../acl/types.js'
import type { Accepted, Hub, JoinNetwork, Network, NetworkSession } from '../contract/core-network.js'
import type { NetworkCounts, NetworkModule, NetworkStats } from '../contract/host-core.js'
import type { Session } from '../rpc/session.js'
import type { Sessions } from '../rpc/sessions.js'
import { addCounts, COUNT, type Counts, SessionMetrics, toCounts } from '../shared/metrics.js'

export interface NetworkSessionsDeps {
  pattern: Pattern
  sessions: Sessions
  /** Opens a session like that of any frontend. `ended` is called once it has ended. */
  openSession(session: NetworkSession, metrics: SessionMetrics, ended: () => void): Session
}

export class NetworkSessions {
  readonly #deps: NetworkSessionsDeps
  readonly #open = new Map<string, { session: Session; counts: Counts }>()
  #endedCounts = toCounts()
  isDraining = false

  constructor(deps: NetworkSessionsDeps) {
    this.#deps = deps
  }

  /** @throws {BusError} `InvalidParams`, `InvalidRequest`, `Disconnected`: see `Hub.accept` */
  accept(networkSession: NetworkSession): Accepted {
    const { sessions, openSession } = this.#deps
    const { label } = networkSession
    this.#check(networkSession)
    this.closeSession(label)
    if (sessions.get(label)) {
      throw new BusError('InvalidRequest', `A frontend of this bus has the label ${describeName(label)}`)
    }
    const metrics = new SessionMetrics(toCounts().buffer)
    const session = openSession(networkSession, metrics, () => this.#ended(session, metrics.counts))
    this.#open.set(label, { session, counts: metrics.counts })
    return this.#createHandle(label, session)
  }

  closeSession(label: string): void {
    void this.#open.get(label)?.session.close()
  }

  counts(): NetworkCounts {
    let sum = this.#endedCounts
    for (const { session, counts } of this.#open.values()) {
      session.updateCounts()
      sum = addCounts(sum, counts)
    }
    const names = ['failures', 'denied', 'inFlight', 'eventsIn', 'eventsOut', 'bytesIn', 'bytesOut'] as const
    type Sums = Record<(typeof names)[number], number>
    const counts = Object.fromEntries(names.map(name => [name, sum[COUNT[name]]])) as Sums
    return { sessions: this.#open.size, calls: Math.max(0, sum[COUNT.calls] - counts.eventsIn), ...counts }
  }

  #check({ label, codec, opener }: NetworkSession): void {
    const { pattern } = this.#deps
    if (this.isDraining) throw createClosingError()
    if (!isLabel(label)) throw new BusError('InvalidParams', `Invalid label: ${describeName(String(label))}`)
    if (codec !== 'json' && codec !== 'msgpack') {
      throw new BusError('InvalidParams', `The codec of a session must be "json" or "msgpack"`)
    }
    // A session that has to be sealed never starts in plaintext.
    if ((pattern === 'isolation') === (opener !== undefined)) return
    const text = `A session of the ${pattern} pattern must have ${opener ? 'no' : 'an'} opener`
    throw new BusError('InvalidRequest', text)
  }

  /** Returns the network's handle of a session. It has no effect once another session has the label. */
  #createHandle(label: string, session: Session): Accepted {
    const { sessions } = this.#deps
    let state: 'new' | 'begun' | 'ended' = 'new'
    return {
      begin() {
        if (state !== 'new' || sessions.get(label) !== session) return
        state = 'begun'
        sessions.emitCreated(label)
      },
      end() {
        const latest = sessions.get(label)
        if (state === 'ended' || (latest !== undefined && latest !== session)) return
        state = 'ended'
        sessions.emitDestroyed(label, latest, true)
      },
    }
  }

  #ended(session: Session, counts: Counts): void {
    this.#endedCounts = addCounts(this.#endedCounts, counts)
    // These two are levels, not totals: an ended session has none.
    this.#endedCounts[COUNT.inFlight] = this.#endedCounts[COUNT.queued] = 0
    const label = session.label!
    if (this.#open.get(label)?.session === session) this.#open.delete(label)
  }
}

/** A network whose failures are handled: no method rejects or throws. */
export interface JoinedNetwork {
  stats(): NetworkStats | undefined
  drain(): Promise<void>
  /** Resolves once the network has closed, or after `timeoutMs`. */
  close(timeoutMs: number): Promise<void>
}

/** @throws {BusError} `InvalidParams` for an invalid module; the error of its `join` */
export async function joinNetwork({ module, options }: NetworkModule, hub: Hub): Promise<JoinedNetwork> {
  const subject = `The network module ${describeName(module)}`
  const join = await loadModule(subject, module)
  let network: Network
  try {
    network = await join(hub, options)
  } catch (cause) {
    const reason = isBusError(cause) ? cause.reason : 'LoadFailed'
    throw new BusError(reason, `The network could not be joined: ${describeThrown(cause)}`, { cause })
  }
  for (const method of ['stats', 'drain', 'close'] as const) {
    if (typeof Object(network)[method] === 'function') continue
    throw new BusError('InvalidParams', `${subject}: the result of its join has no ${method}()`)
  }
  return handleFailures(network, hub.log)
}

async function loadModule(subject: string, url: string): Promise<JoinNetwork> {
  let join: unknown
  try {
    join = ((await import(/* webpackIgnore: true */ /* @vite-ignore */ url)) as { join?: unknown }).join
  } catch (cause) {
    throw new BusError('InvalidParams', `${subject} could not be loaded: ${describeThrown(cause)}`, { cause })
  }
  if (typeof join === 'function') return join as JoinNetwork
  throw new BusError('InvalidParams', `${subject} has no export "join". Add \`export function join(hub, options)\``)
}

function handleFailures(network: Network, log: Logger): JoinedNetwork {
  const logFailure = (err: unknown): void => log.error({ err }, 'the network failed')
  const run = async (method: 'drain' | 'close'): Promise<void> => {
    try {
      await network[method]()
    } catch (error) {
      logFailure(error)
    }
  }
  return {
    stats() {
      try {
        return structuredClone(network.stats())
      } catch (error) {
        logFailure(error)
        return undefined
      }
    },
    drain: () => run('drain'),
    close: timeoutMs => within(timeoutMs, run('close')),
  }
}
