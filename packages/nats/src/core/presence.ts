// What the instances of a bus tell each other of themselves, sealed: `bus.stats()` of each sums over all that were heard lately.
import type { Hub, NetworkCounts, NetworkStats } from '@sallyport/core/network'
import { BusError } from '@sallyport/protocol'
import { createBroadcast, type Identity } from '../broadcast/broadcast.js'
import type { Connection } from '../connection/connection.js'
import { type Faults, NOBODY } from '../connection/errors.js'
import { CORE_GROUP, instancesSubject, openSubject, serviceName, toCore } from '../connection/subjects.js'

/** Milliseconds from one word to the next. */
const EVERY = 2000
/** Milliseconds of silence after which an instance no longer counts. */
const HEARD_LATELY = 3 * EVERY

export interface InstancesDeps extends Identity {
  hub: Pick<Hub, 'counts'>
  connection: Connection
  faults: Faults
}

export interface Instances {
  stats(): NetworkStats
  /** Tells the others that this one is there: the sooner it does, the sooner they are known to each other. */
  tell(): void
  /** Tells the others that it is gone. */
  leave(): void
}

/** Begins to tell, and to hear. */
export function trackPresence({ hub, connection, faults, ...identity }: InstancesDeps): Instances {
  const subject = instancesSubject(identity.bus)
  const broadcast = createBroadcast({ ...identity, subject })
  const others = new Map<string, { counts: NetworkCounts; at: number }>()
  let isHere = true

  function publish(counts: NetworkCounts | undefined): void {
    if (connection.isUp) connection.publish(subject, broadcast.seal(Buffer.from(JSON.stringify({ counts }))))
  }
  const tell = (): void => {
    // Also where nobody asks for figures.
    forget()
    if (isHere) publish(hub.counts())
  }
  function forget(): void {
    const now = performance.now()
    for (const [name, { at }] of others) if (now - at > HEARD_LATELY) others.delete(name)
  }

  function take(message: Uint8Array): void {
    const opened = broadcast.open(message)
    const error = 'What came as the word of an instance is forged, or was played again'
    if (!opened) return faults.tell(NOBODY, new BusError('InvalidRequest', error))
    const { instance, plain } = opened
    const { counts } = JSON.parse(Buffer.from(plain).toString()) as { counts?: NetworkCounts }
    const isNew = !others.has(instance)
    if (!counts) return void others.delete(instance)
    if (instance === identity.instance) return faults.tell(NOBODY, new BusError('InvalidRequest', twice(instance)))
    others.set(instance, { counts, at: performance.now() })
    if (isNew) tell()
  }

  connection.subscribe(subject, ({ data }) => take(data))
  const timer = setInterval(tell, EVERY).unref()
  return {
    stats() {
      forget()
      const own = hub.counts()
      // With names that mean something to objects, as well.
      const instances: Record<string, NetworkCounts> = Object.fromEntries([
        [identity.instance, own],
        ...[...others].map(([name, { counts }]) => [name, counts] as const),
      ])
      return { instance: identity.instance, instances, total: getSum(own, instances) }
    },
    tell,
    leave() {
      clearInterval(timer)
      isHere = false
      publish(undefined)
    },
  }
}

const twice = (name: string): string =>
  `Another instance is named ${name} too: give each a name of its own, or they are counted and reached as one`

/** An instance of another version may lack a count. */
function getSum(shape: NetworkCounts, instances: Record<string, NetworkCounts>): NetworkCounts {
  const names = Object.keys(shape) as (keyof NetworkCounts)[]
  const total = names.map(name => [
    name,
    Object.values(instances).reduce((sum, counts) => sum + (counts[name] ?? 0), 0),
  ])
  return Object.fromEntries(total) as unknown as NetworkCounts
}

// Answers NATS's own discovery, so that its tools list the instances of a bus: `nats micro ls`, `info` and `stats` (ADR-32 of
// NATS, the service API). Whoever may ask there sees names and counts, and nothing else.

export interface ServiceDeps {
  hub: Pick<Hub, 'appInfo' | 'pattern' | 'counts'>
  connection: Connection
  bus: string
  instance: string
  hellos: HelloCounts
}

/** Of the handshakes since the start. */
export interface HelloCounts {
  answered: number
  refused: number
  lastRefusal?: string
  nanoseconds: number
}

/** Of semver.org, without its build. */
const SEMVER = /^(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)(-[\dA-Za-z.-]+)?$/

/** Begins to answer. */
export function serveDiscovery({ hub, connection, bus, instance, hellos }: ServiceDeps): void {
  const { appInfo, pattern } = hub
  const name = serviceName(bus)
  const started = new Date().toISOString()
  const identity = {
    name,
    id: instance,
    version: SEMVER.test(appInfo.version ?? '') ? appInfo.version! : '0.0.0',
    metadata: { pattern, ...(appInfo.productName !== undefined && { productName: appInfo.productName }) },
  }
  const open = { name: 'open', subject: openSubject(bus), queue_group: CORE_GROUP }
  const calls = { name: 'calls', subject: toCore(bus, instance, '*'), queue_group: '' }

  const answers: Record<string, () => object> = {
    PING: () => ({ type: 'io.nats.micro.v1.ping_response' }),
    INFO: () => ({
      type: 'io.nats.micro.v1.info_response',
      description: 'Core of a Sallyport bus',
      endpoints: [open, calls].map(endpoint => ({ ...endpoint, metadata: {} })),
    }),
    STATS: () => ({
      type: 'io.nats.micro.v1.stats_response',
      started,
      endpoints: [
        { ...open, ...getHandshakeStats(hellos) },
        { ...calls, ...getCallStats(hub) },
      ],
    }),
  }
  for (const [verb, answer] of Object.entries(answers)) {
    for (const subject of [`$SRV.${verb}`, `$SRV.${verb}.${name}`, `$SRV.${verb}.${name}.${instance}`]) {
      connection.subscribe(subject, ({ reply }) => {
        if (reply) connection.publish(reply, Buffer.from(JSON.stringify({ ...identity, ...answer() })))
      })
    }
  }
}

function getHandshakeStats({ answered, refused, lastRefusal, nanoseconds }: HelloCounts): object {
  return {
    num_requests: answered,
    num_errors: refused,
    last_error: lastRefusal ?? '',
    processing_time: nanoseconds,
    average_processing_time: answered === 0 ? 0 : Math.round(nanoseconds / answered),
  }
}

/** The time of calls is in `bus.stats()`, for each command: here they have none. */
function getCallStats(hub: Pick<Hub, 'counts'>): object {
  const counts = hub.counts()
  return {
    num_requests: counts.calls,
    num_errors: counts.failures,
    last_error: '',
    processing_time: 0,
    average_processing_time: 0,
    data: counts,
  }
}
