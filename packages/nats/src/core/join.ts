// Makes core an instance of a bus over NATS: hellos become sessions, sessions frontends of core, and events go to the others.
import type { Hub, Network } from '@sallyport/core/network'
import { check } from '../check.js'
import { connectNats } from '../connection.js'
import { createDoor } from '../handshake/index.js'
import { networkOptions } from './nats-network.js'
import { toCore } from '../subjects.js'
import { carryEvents } from './events.js'
import { createFaults, NOBODY } from '../faults.js'
import { meetInstances } from './instances.js'
import { receiveHellos } from './reception.js'
import { serveDiscovery, type HelloCounts } from './service.js'
import { Sessions } from './sessions.js'

/**
 * What core calls, of the module that `natsNetwork` names.
 *
 * @throws BusError `InvalidParams` for options, `Disconnected` where no server answers, `Denied` where it refuses what an
 * instance needs
 */
export async function join(hub: Hub, given: unknown): Promise<Network> {
  const { nats, bus, secret, revoked, instance, heartbeat } = check('natsNetwork', networkOptions, given)
  const { log, pattern } = hub
  const door = createDoor({ secret, bus, instance, pattern, revoked })
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
  const instances = meetInstances({ hub, connection, faults, ...identity })
  const leaveHellos = receiveHellos({ connection, sessions, faults, hellos, bus, instance })
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
