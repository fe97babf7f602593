// What `createBus({ network })` is given to be reached over NATS: a module for core's thread, and plain data for it.
import { randomBytes } from 'node:crypto'
import { hostname } from 'node:os'
import * as v from 'valibot'
import { check } from '../check.js'
import { createDoor } from '../handshake/index.js'
import { busName, heartbeat, natsOptions, type NatsOptions } from '../nats-options.js'

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
export const networkOptions: v.GenericSchema<NatsNetworkOptions, NetworkData> = v.strictObject(
  {
    nats: natsOptions,
    bus: busName,
    secret: v.string('a text: createBusSecret() makes one'),
    revoked: v.optional(v.array(v.string('an id of a credential'), 'a list of ids of credentials'), []),
    instance: v.optional(busName, nameOfThis),
    heartbeat,
  },
  'an object',
)

/** It stands in subjects. */
function nameOfThis(): string {
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
  const data = check('natsNetwork', networkOptions, options)
  // Said here, and not by core that fails to start.
  createDoor({ ...data, pattern: 'brownfield' })
  return { module: new URL(import.meta.resolve('#worker')), options: data }
}
