// Makes core an instance of a bus over NATS: hellos become sessions, sessions frontends of core, and events go to the others.
import { randomBytes } from 'node:crypto'
import { hostname } from 'node:os'
import { checkSecretOptions, type Hub, type Network } from '@sallyport/core/network'
import * as v from 'valibot'
import { connectNats } from '../connection/connection.js'
import { createFaults, NOBODY } from '../connection/errors.js'
import { createHandshakeResponder } from '../handshake/responder.js'
import { busName, heartbeat, natsOptions, type NatsOptions } from '../connection/options.js'
import { toCore } from '../connection/subjects.js'
import { carryEvents } from './event-fanout.js'
import { listenForHandshakes } from './handshake-listener.js'
import { type HelloCounts, trackPresence, serveDiscovery } from './presence.js'
import { Sessions } from './sessions.js'

// What `createBus({ network })` is given to be reached over NATS: a module for core's thread, and plain data for it.

export interface NatsNetworkOptions {
  nats: NatsOptions
  /** The name of the bus, in every subject: 1 to 64 letters, digits, `-` and `_`. Joined processes name the same. */
  bus: string
  /** What `createBusSecret()` gave, once: the same for all instances of the bus, and for nobody else. */
  secret: string
  /** Ids of credentials that open nothing any more: what `revocableId` gives of them. */
  revoked?: readonly string[] | undefined
  /** The name of this instance, unlike those of the others. By default the machine's, and something by chance. */
  instance?: string | undefined
  /** Milliseconds of silence after which a peer is asked for a sign of life, and lost after three more. 2000 unless given. */
  heartbeat?: number | undefined
}

/** The same, checked and whole, as core's thread is given it. */
export interface NetworkData {
  nats: NatsOptions
  bus: string
  secret: string
  revoked: string[]
  instance: string
  heartbeat: number
}

/** @internal */
const networkOptions: v.GenericSchema<NatsNetworkOptions, NetworkData> = v.strictObject(
  {
    nats: natsOptions,
    bus: busName,
    secret: v.string('a text: createBusSecret() makes one'),
    revoked: v.optional(v.array(v.string('an id of a credential'), 'a list of ids of credentials'), []),
    instance: v.optional(busName, getInstanceName),
    heartbeat,
  },
  'an object',
)

/** It stands in subjects. */
function getInstanceName(): string {
  const machine = hostname().replaceAll(/[^a-zA-Z0-9_-]/g, '-')
  return `${machine.slice(0, 48)}-${randomBytes(4).toString('hex')}`
}

/**
 * Makes core an instance of a bus over NATS: frontends of other processes reach it (`joinBus`), and its events reach the
 * listeners of the other instances.
 *
 * @throws BusError `InvalidParams` for options that can't be right
 *
 * @example
 * const bus = await createBus({ core, network: natsNetwork({ nats: { servers: 'nats://127.0.0.1:4222' }, bus: 'shop', secret }) })
 */
export function natsNetwork(options: NatsNetworkOptions): { module: URL; options: object } {
  const data = checkSecretOptions('natsNetwork', networkOptions, options)
  // Said here, and not by core that fails to start.
  createHandshakeResponder({ ...data, pattern: 'brownfield' })
  return { module: new URL(import.meta.resolve('#worker')), options: data }
}

/**
 * What core calls, of the module that `natsNetwork` names.
 *
 * @throws BusError `InvalidParams` for options, `Disconnected` where no server answers, `Denied` where it refuses what an
 * instance needs
 */
export async function join(hub: Hub, given: unknown): Promise<Network> {
  const { nats, bus, secret, revoked, instance, heartbeat } = checkSecretOptions('natsNetwork', networkOptions, given)
  const { log, pattern } = hub
  const door = createHandshakeResponder({ secret, bus, instance, pattern, revoked })
  const faults = createFaults((label, error) => hub.fault(label, error))
  const hellos: HelloCounts = { answered: 0, refused: 0, nanoseconds: 0 }
  let sessions: Sessions | undefined
  const connection = await connectNats('natsNetwork', { name: `${bus} ${instance}`, ...nats }, heartbeat, {
    down(error) {
      faults.tell(NOBODY, error)
      sessions?.lost(error)
    },
    up: () => {
      // As loud as the loss: whoever has read of that waits for this.
      log.warn({ bus, instance, server: connection.server }, 'connected to NATS again')
      instances.tell()
    },
    fault: error => faults.tell(NOBODY, error),
  })
  const begun = (sessions = new Sessions({ hub, connection, faults, door, bus, instance, heartbeat }))
  const words = toCore(bus, instance, '').length
  connection.subscribe(toCore(bus, instance, '*'), message => begun.take(message.subject.slice(words), message))
  const identity = { secret, bus, instance }
  carryEvents({ hub, connection, faults, ...identity })
  const instances = trackPresence({ hub, connection, faults, ...identity })
  const leaveHellos = listenForHandshakes({ connection, sessions, faults, hellos, bus, instance })
  try {
    await connection.flush()
  } catch (error) {
    instances.leave()
    await connection.close()
    throw error
  }
  instances.tell()
  // Where its user may not subscribe to those, a fault says so. It serves all the same, and calls that are spread don't find it.
  serveDiscovery({ hub, connection, bus, instance, hellos })
  log.info({ bus, instance, server: connection.server }, 'connected to NATS')
  return {
    stats: () => instances.stats(),
    async drain() {
      await leaveHellos()
      begun.drain()
    },
    async close() {
      instances.leave()
      await begun.close()
      await connection.close()
      faults.flush()
    },
  }
}
