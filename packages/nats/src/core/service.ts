// Answers NATS's own discovery, so that its tools list the instances of a bus: `nats micro ls`, `info` and `stats` (ADR-32 of
// NATS, the service API). Whoever may ask there sees names and counts, and nothing else.
import type { Hub } from '@sallyport/core/network'
import type { Connection } from '../connection.js'
import { CORE_GROUP, openSubject, serviceName, toCore } from '../subjects.js'

export interface ServiceParts {
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
export function serveDiscovery({ hub, connection, bus, instance, hellos }: ServiceParts): void {
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
        { ...open, ...statsOfHellos(hellos) },
        { ...calls, ...statsOfCalls(hub) },
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

function statsOfHellos({ answered, refused, lastRefusal, nanoseconds }: HelloCounts): object {
  return {
    num_requests: answered,
    num_errors: refused,
    last_error: lastRefusal ?? '',
    processing_time: nanoseconds,
    average_processing_time: answered === 0 ? 0 : Math.round(nanoseconds / answered),
  }
}

/** The time of calls is in `bus.stats()`, for each command: here they have none. */
function statsOfCalls(hub: Pick<Hub, 'counts'>): object {
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
