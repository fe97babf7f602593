// Makes core an instance of a bus over NATS: handshakes become sessions of frontends, and events reach the other instances.
import { randomBytes } from 'node:crypto'
import { hostname } from 'node:os'
import { checkSecretOptions, type Hub, type Network } from '@sallyport/core/internal/network'
import * as v from 'valibot'
import { connectNats } from '../connection/process-connection.js'
import { CORE_LABEL, createFaultReporter } from '../connection/errors.js'
import { busName, heartbeat, natsOptions, type NatsConnectionOptions } from '../connection/options.js'
import { createHandshakeResponder } from '../handshake/handshake.js'
import { fanOutEvents } from './event-fanout.js'
import { serveDiscovery, trackPresence } from './presence.js'
import { JoinedSessions } from './joined-sessions.js'

/** Options of `natsNetwork`. */
export interface NatsNetworkOptions {
  /** The connection to NATS. */
  nats: NatsConnectionOptions
  /** Name of the bus, a part of every subject: 1 to 64 letters, digits, `-` and `_`. Joined processes use the same name. */
  bus: string
  /** Secret from `createBusSecret()`, equal for all instances of the bus and known only to them. */
  secret: string
  /** Ids of revoked credentials, as `getCredentialId` returns them. They open no session. */
  revoked?: readonly string[] | undefined
  /** Name of this instance, unique among the instances. @default the host name and random characters */
  instance?: string | undefined
  /** Milliseconds of silence before a peer is pinged. After three unanswered pings it is lost. @default 2000 */
  heartbeat?: number | undefined
}

const networkOptions = v.strictObject(
  {
    nats: natsOptions,
    bus: busName,
    secret: v.string('a string from createBusSecret()'),
    revoked: v.optional(v.array(v.string('an id of a credential'), 'an array of ids of credentials'), []),
    instance: v.optional(busName, createInstanceName),
    heartbeat,
  } satisfies Record<keyof NatsNetworkOptions, v.GenericSchema>,
  'an object',
)

/** Host names can contain characters that a subject cannot. */
function createInstanceName(): string {
  const machine = hostname().replaceAll(/[^a-zA-Z0-9_-]/g, '-')
  return `${machine.slice(0, 48)}-${randomBytes(4).toString('hex')}`
}

/**
 * Makes core an instance of a bus over NATS: frontends of other processes can connect to it (`joinBus`), and its events reach the
 * listeners of the other instances.
 *
 * @throws {BusError} InvalidParams for an invalid option
 *
 * @example
 * const bus = await createBus({ core, network: natsNetwork({ nats: { servers: 'nats://127.0.0.1:4222' }, bus: 'shop', secret }) })
 */
export function natsNetwork(options: NatsNetworkOptions): { module: URL; options: object } {
  const config = checkSecretOptions('natsNetwork', networkOptions, options)
  // Checks the secret and the revoked ids here, and not only when core starts.
  createHandshakeResponder({ ...config, pattern: 'brownfield' })
  return { module: new URL(import.meta.resolve('#worker')), options: config }
}

/**
 * Joins the bus. Core calls this export of the module that `natsNetwork` returns.
 *
 * @throws {BusError} InvalidParams for invalid options, Disconnected if no server answers, Denied if the server refuses the connection
 * or a subscription that an instance needs
 */
export async function join(hub: Hub, options: unknown): Promise<Network> {
  const { nats, bus, secret, revoked, instance, heartbeat } = checkSecretOptions('natsNetwork', networkOptions, options)
  const { log, pattern } = hub
  const identity = { secret, bus, instance }
  const responder = createHandshakeResponder({ ...identity, pattern, revoked })
  const faults = createFaultReporter((label, error) => hub.fault(label, error))
  /** `disconnected` can be emitted before the sessions exist. */
  let knownSessions: JoinedSessions | undefined
  const connection = await connectNats('natsNetwork', { name: `${bus} ${instance}`, ...nats }, heartbeat, {
    disconnected(error) {
      faults.add({ label: CORE_LABEL, createError: () => error })
      knownSessions?.failAll(error)
    },
    reconnected() {
      // Logged at the level of the report of the loss.
      log.warn({ bus, instance, server: connection.server }, 'reconnected to NATS')
      presence.announce()
    },
    fault: error => faults.add({ label: CORE_LABEL, createError: () => error }),
  })
  const context = { hub, connection, faults, ...identity }
  const sessions = (knownSessions = new JoinedSessions({ ...context, responder, heartbeat }))
  sessions.listen()
  fanOutEvents(context)
  const presence = trackPresence(context)
  try {
    await connection.flush()
  } catch (error) {
    presence.leave()
    await connection.close()
    throw error
  }
  presence.announce()
  // Subscribed after the flush: if the user lacks this permission, a fault reports it, and the instance works without. Connections
  // that balance their calls cannot discover it then.
  serveDiscovery(context)
  log.info({ bus, instance, server: connection.server }, 'connected to NATS')
  return {
    stats: () => presence.stats(),
    drain: () => sessions.drain(),
    async close() {
      presence.leave()
      await sessions.close()
      await connection.close()
      faults.flush()
    },
  }
}
