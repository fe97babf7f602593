// How an instance is found: the other instances of the bus receive its presence broadcasts with its counts, which `bus.stats()` sums up,
// and NATS's tools (`nats micro ls`, `info`) get answers to service discovery.
import type { Hub, NetworkCounts, NetworkStats } from '@sallyport/core/internal/network'
import { every } from '@sallyport/protocol/internal/contract'
import { BusError } from '@sallyport/protocol/internal/errors'
import { createBroadcast, type Identity } from './broadcast.js'
import type { ProcessConnection } from '../connection/process-connection.js'
import { CORE_LABEL, type FaultReporter } from '../connection/errors.js'
import { CORE_GROUP, coreSubject, instancesSubject, openSubject, serviceName } from '../connection/subjects.js'

const ANNOUNCE_INTERVAL_MS = 2000
/** Intervals without a message after which an instance no longer counts: of this thread, which can have been suspended. */
const MAX_SILENT_INTERVALS = 3

/** An instance of a bus, as its parts share it. */
export interface InstanceContext extends Identity {
  hub: Hub
  connection: ProcessConnection
  faults: FaultReporter
}

export interface Presence {
  /** Returns the counts of all instances that were heard lately. */
  stats(): NetworkStats
  /** Announces this instance now, and not only with the next interval. */
  announce(): void
  leave(): void
}

export function trackPresence({ hub, connection, faults, ...identity }: InstanceContext): Presence {
  const subject = instancesSubject(identity.bus)
  const broadcast = createBroadcast({ ...identity, subject })
  const others = new Map<string, { readonly counts: NetworkCounts; silent: number }>()
  let hasLeft = false

  /** @param counts - undefined to leave */
  function publish(counts: NetworkCounts | undefined): void {
    if (connection.isConnected) connection.publish(subject, broadcast.seal(Buffer.from(JSON.stringify({ counts }))))
  }

  function announce(): void {
    if (!hasLeft) publish(hub.counts())
  }

  function removeSilent(): void {
    for (const [name, other] of others) if (other.silent++ === MAX_SILENT_INTERVALS) others.delete(name)
  }

  function handleMessage(message: Uint8Array): void {
    const opened = broadcast.open(message)
    if (opened === 'early') return
    if (!opened) return reportFault('A forged or replayed presence message was dropped')
    const { instance, plain } = opened
    const { counts }: { counts?: NetworkCounts } = JSON.parse(Buffer.from(plain).toString())
    const isNew = !others.has(instance)
    if (!counts) return void others.delete(instance)
    if (instance === identity.instance) {
      const consequence = 'they are counted and reached as one. Name each instance differently'
      return reportFault(`Another instance is named ${instance} too: ${consequence}`)
    }
    others.set(instance, { counts, silent: 0 })
    if (isNew) announce()
  }

  const reportFault = (text: string): void =>
    faults.add({ label: CORE_LABEL, createError: () => new BusError('InvalidRequest', text) })

  connection.subscribe(subject, ({ data }) => handleMessage(data))
  const end = every(ANNOUNCE_INTERVAL_MS, () => {
    removeSilent()
    announce()
  })
  return {
    stats: () => toStats(identity.instance, hub.counts(), others),
    announce,
    leave() {
      end()
      hasLeft = true
      publish(undefined)
    },
  }
}

function toStats(
  instance: string,
  counts: NetworkCounts,
  others: ReadonlyMap<string, { readonly counts: NetworkCounts }>,
): NetworkStats {
  const list = [...others].map(([name, other]) => [name, other.counts] as const)
  // `fromEntries` defines properties: an instance can be named `__proto__`.
  const instances: Record<string, NetworkCounts> = Object.fromEntries([[instance, counts], ...list])
  return { instance, instances, total: sumCounts(counts, Object.values(instances)) }
}

/** Sums the counts that this version has. An instance of another version can lack some of them. */
function sumCounts(shape: NetworkCounts, instances: readonly NetworkCounts[]): NetworkCounts {
  const names = Object.keys(shape) as (keyof NetworkCounts)[]
  const total = names.map(name => [name, instances.reduce((sum, counts) => sum + (counts[name] ?? 0), 0)])
  return Object.fromEntries(total) as unknown as NetworkCounts
}

/** A semantic version without build metadata. */
const SEMVER = /^(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)(-[\dA-Za-z.-]+)?$/

/** Answers service discovery (ADR-32 of NATS) with names. Anybody who may ask there sees these, and nothing else. */
export function serveDiscovery({ hub, connection, bus, instance }: InstanceContext): void {
  const { appInfo, pattern } = hub
  const name = serviceName(bus)
  const identity = {
    name,
    id: instance,
    version: SEMVER.test(appInfo.version ?? '') ? appInfo.version! : '0.0.0',
    metadata: { pattern, ...(appInfo.productName !== undefined && { productName: appInfo.productName }) },
  }
  const open = { name: 'open', subject: openSubject(bus), queue_group: CORE_GROUP }
  const calls = { name: 'calls', subject: coreSubject(bus, instance, '*'), queue_group: '' }

  const answers = {
    PING: { type: 'io.nats.micro.v1.ping_response' },
    INFO: {
      type: 'io.nats.micro.v1.info_response',
      description: 'Core of a Sallyport bus',
      endpoints: [open, calls].map(endpoint => ({ ...endpoint, metadata: {} })),
    },
  }
  for (const [verb, answer] of Object.entries(answers)) {
    const body = Buffer.from(JSON.stringify({ ...identity, ...answer }))
    for (const subject of [`$SRV.${verb}`, `$SRV.${verb}.${name}`, `$SRV.${verb}.${name}.${instance}`]) {
      connection.subscribe(subject, ({ reply }) => reply && connection.publish(reply, body))
    }
  }
}
